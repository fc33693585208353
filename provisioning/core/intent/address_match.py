"""What rules match addresses with: prefixes and names of prefix lists, or everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.intent_object import ANY, ObjectReference


def is_prefix(name: str) -> bool:
    """Whether a stored name is a prefix itself, not the uid of a prefix list: only prefixes have a length."""
    return "/" in name


def read_address_match(body: FieldReader, field: str) -> list[str]:
    """Prefixes and uids of prefix lists in their order; left out, empty or with ``any`` among them: ``["any"]``."""
    found = body.prefixes(field, [ANY], literals=(ANY,), allow_prefix_lists=True)
    return [ANY] if ANY in found or not found else found


def count_match_values(rules: Iterable[Mapping[str, Any]]) -> int:
    """How many prefixes, names of prefix lists and ports these rules write down together."""
    fields = ("source", "destination", "ports")
    return sum(len(rule[field]) for rule in rules for field in fields if rule[field] != [ANY])


def build_address_match(stored: list[str]) -> tuple[str, ...]:
    """As typed objects keep it: () is everything."""
    return () if ANY in stored else tuple(stored)


def prefix_list_references(*stored: Iterable[Any]) -> Iterator[ObjectReference]:
    return (("prefix-lists", name) for names in stored for name in names if name != ANY and not is_prefix(name))
