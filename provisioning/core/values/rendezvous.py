"""Rendezvous hashing: of several candidates the one with the highest weight wins.

A candidate that comes or goes moves only what it wins or has won (Thaler and Ravishankar, "Using name-based mappings to
increase hit rates", IEEE/ACM Transactions on Networking 6(1), 1998).
"""

from __future__ import annotations

import hashlib


def rendezvous_weight(*parts: object) -> int:
    """Return the weight of a candidate for what it would win; ``parts`` name both."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
