"""Whose cost it is: usage of resources split over billing tags, segments or groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from billing.selectors.subjects import item_key_of
from provisioning.selectors import metering

OWNER_GROUPINGS = ("tag", "segment", "group")
"""Groupings by what a resource's intent object belongs to; one that belongs to several is split evenly."""

NOBODY = {"tag": "Not tagged", "segment": "In no segment", "group": "In no group"}


class CostOwner(NamedTuple):
    """A tag, a segment or a group; ``uid`` is "" for what belongs to none."""

    uid: str
    name: str


def owners_of(subjects: Collection[str], grouping: str, at: datetime) -> dict[str, list[CostOwner]]:
    """Return subject → whose cost it was at an instant; at least one owner for each."""
    keys = {subject: item_key_of(subject) for subject in subjects}
    belongings = metering.belongings(keys.values(), at)
    owners = {}
    for subject, key in keys.items():
        named: Mapping[str, str] = getattr(belongings[key], f"{grouping}s") if key in belongings else {}
        owners[subject] = [CostOwner(*pair) for pair in named.items()] or [CostOwner("", NOBODY[grouping])]
    return owners
