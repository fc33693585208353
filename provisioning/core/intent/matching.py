"""What rules match addresses with: prefixes and names of prefix lists, or everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provisioning.core.intent.item import ANY, Reference
from provisioning.core.intent.reading import Reader


def is_prefix(name: str) -> bool:
    """Whether a stored name is a prefix itself, not the uid of a prefix list: only prefixes have a length."""
    return "/" in name


def read_addresses(body: Reader, field: str) -> list[str]:
    """Prefixes and uids of prefix lists in their order; left out, empty or with ``any`` among them: ``["any"]``."""
    found = body.prefixes(field, [ANY], literals=(ANY,), lists=True)
    return [ANY] if ANY in found or not found else found


def written(rules: Iterable[Mapping[str, Any]]) -> int:
    """How many prefixes, names of prefix lists and ports these rules write down together."""
    fields = ("source", "destination", "ports")
    return sum(len(rule[field]) for rule in rules for field in fields if rule[field] != [ANY])


def addresses(stored: list[str]) -> tuple[str, ...]:
    """As typed objects keep it: () is everything."""
    return () if ANY in stored else tuple(stored)


def lists_in(*stored: Iterable[Any]) -> Iterator[Reference]:
    return (("prefix-lists", name) for names in stored for name in names if name != ANY and not is_prefix(name))
