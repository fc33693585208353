"""The fields of rules that match flows by their addresses, and how many of them one object may write down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from provisioning.core.intent.fields import ANY, AddressMatch

SourceMatch = Annotated[tuple[str, ...], AddressMatch(label="Source")]
DestinationMatch = Annotated[tuple[str, ...], AddressMatch(label="Destination")]


def count_match_values(rules: Iterable[Mapping[str, Any]]) -> int:
    """Return how many prefixes, names of prefix lists and ports these rules write down together."""
    fields = ("source", "destination", "ports")
    return sum(len(rule[field]) for rule in rules for field in fields if rule[field] != [ANY])
