"""Names in nftables for things whose own names it does not accept, or that have none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from provisioning.agent.address_families import AddressFamily, nft_interval
from provisioning.core.values.addresses import Range


def hashed_name(kind: str, text: str) -> str:
    """Return a stable, unique name that nft accepts for something whose own name it does not."""
    return f"{kind}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def content_named_set(ranges: Iterable[Range], family: AddressFamily) -> tuple[str, tuple[str, ...]]:
    """Return (name, elements) of the set of these addresses of one family: what means the same addresses shares it."""
    elements = tuple(map(nft_interval, ranges))
    return hashed_name(f"a{family.suffix}", ",".join(elements)), elements
