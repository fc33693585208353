"""The digest of a plan, which an approval names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from provisioning.core.values.resource import Body, Change, canonical_json
from provisioning.core.values.resource import content_digest as digest_of

LONG_LIST = 16
"""Objects of longer lists are digested one by one, so that those which many bodies share (rules) are read once."""

LARGE_OBJECT = 64
"""Broader objects are tables of short values; there is nothing to share in them."""


def plan_digest(changes: Iterable[Change]) -> str:
    """Return a digest: the same changes give the same one, in whatever order and however their bodies share parts."""
    digests = _BodyDigests()
    return digest_of(
        sorted(
            [
                change.address,
                change.action,
                change.kind,
                digests.body_digest(change.before),
                digests.body_digest(change.after),
            ]
            for change in changes
        )
    )


class _BodyDigests:
    """Digests of bodies; parts that several bodies share are recognised by identity and read once."""

    def __init__(self) -> None:
        # An item is kept beside its digest, so that no other one gets its identity.
        self._known: dict[int, tuple[Any, bytes]] = {}

    def body_digest(self, body: Body | None) -> str:
        hashed = hashlib.sha256()
        self._update_hash(hashed, body)
        return hashed.hexdigest()

    def _update_hash(self, hashed: hashlib._Hash, value: Any) -> None:
        if not _has_long_list(value):
            hashed.update(canonical_json(value).encode())
        elif isinstance(value, Mapping):
            hashed.update(b"{")
            for key in sorted(value):
                hashed.update(canonical_json(key).encode() + b":")
                self._update_hash(hashed, value[key])
                hashed.update(b",")
            hashed.update(b"}")
        else:
            hashed.update(b"[%d:" % len(value))
            for item in value:
                hashed.update(self._item_digest(item))

    def _item_digest(self, item: Any) -> bytes:
        known = self._known.get(id(item))
        if known is None:
            known = self._known[id(item)] = (item, hashlib.sha256(canonical_json(item).encode()).digest())
        return known[1]


def _has_long_list(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return len(value) > LONG_LIST and isinstance(value[0], Mapping)
    if isinstance(value, Mapping) and len(value) <= LARGE_OBJECT:
        return any(isinstance(inner, list | tuple | Mapping) and _has_long_list(inner) for inner in value.values())
    return False
