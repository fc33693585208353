"""The objects on the topology that the subjects of samples and lines stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioning.selectors import metering
from provisioning.selectors.metering import NamedItem


def item_key_of(subject: str) -> tuple[str, str]:
    """Return (kind, key) of the intent object that a subject's address belongs to.

    ``service/fw/eu/…`` gives ``("services", "fw")``. An address begins with the word of a kind; one that does not
    is of no object, and its first part stands for the kind.
    """
    word, _, rest = subject.partition("/")
    return metering.kinds_by_word().get(word, word), rest.partition("/")[0]


def describe_subjects(subjects: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return address → thing (billing/selectors/__init__.py), in three queries however many there are."""
    subjects = set(subjects)
    keys = {item_key_of(subject)[1] for subject in subjects}
    keys |= {part for subject in subjects for part in subject.split("/")[2:]}
    items = metering.named_items(keys)
    return {subject: _describe(subject, items) for subject in subjects}


def _describe(subject: str, items: Mapping[tuple[str, str], NamedItem]) -> dict[str, Any]:
    def name_of(kind: str, key: str) -> str:
        item = items.get((kind, key))
        return item.name if item else key

    kind, key = item_key_of(subject)
    item, name = items.get((kind, key)), name_of(kind, key)
    match subject.split("/")[2:]:
        case [exchange, "instance", number]:
            title = f"{name} at {name_of('exchanges', exchange)}, instance {number}"
        case ["to", exchange]:
            title = f"{name} to {name_of('exchanges', exchange)}"
        case _:
            title = name
    uid = str(item.uid) if item else None
    return {"address": subject, "uid": uid, "kind": kind, "key": key, "name": name, "title": title}
