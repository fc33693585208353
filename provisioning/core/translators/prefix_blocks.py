"""A prefix with parts taken out of it, as prefixes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from provisioning.core.translators.label_groups import Unsayable
from provisioning.core.translators.translation import BadAddress, read_prefix
from provisioning.core.values.addresses import merge_ranges, parse_range, subtract, summarise_range


def prefixes_of_block(cidr: Any, without: Sequence[str]) -> list[str]:
    """Return what is left of a prefix. Raise Unsayable where one of the texts is no prefix."""
    try:
        whole, *taken = (parse_range(read_prefix(str(text))) for text in (cidr, *without))
    except BadAddress as error:
        raise Unsayable(str(error)) from error
    if not taken:
        return [read_prefix(str(cidr))]
    return [prefix for part in subtract([whole], merge_ranges(taken)) for prefix in summarise_range(part)]
