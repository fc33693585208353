"""What the names in policies' sides stand for, in parts that every name holds whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provisioning.core.intent import Connector

Part = tuple[str, ...]
"""Members that the same names hold: these names, sorted. A name without members is a part of its own."""

MAX_PARTS = 64
"""Of a name with more parts only the name itself is compared, which tells fewer rules and never a wrong one."""


def member_parts(connectors: Iterable[Connector], named: frozenset[str]) -> dict[str, tuple[Part, ...]]:
    """Return the parts of every name.

    Where one part has all names of another and more, only the other is returned: what is in the way of that is in the
    way of both.
    """
    parts: dict[str, set[Part]] = {name: set() for name in named}
    for connector in connectors:
        if connector.enabled and connector.kind != "internet-exit":
            for attachment in connector.attachments:
                part = tuple(sorted(named.intersection((connector.uid, *attachment.member_of))))
                for name in part:
                    parts[name].add(part)
    return {name: _smallest(name, some) for name, some in parts.items()}


def _smallest(name: str, parts: set[Part]) -> tuple[Part, ...]:
    alone = (name,)
    if not parts or alone in parts or len(parts) > MAX_PARTS:
        return (alone,)
    smallest: list[frozenset[str]] = []
    for names in sorted(map(frozenset, parts), key=len):
        if not any(other <= names for other in smallest):
            smallest.append(names)
    return tuple(sorted(tuple(sorted(names)) for names in smallest))


def parts_of(side: Iterable[str], parts: Mapping[str, tuple[Part, ...]]) -> tuple[Part, ...]:
    """Return the parts of a policy's side, each once."""
    return tuple(dict.fromkeys(part for name in side for part in parts[name]))
