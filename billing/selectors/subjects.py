"""What the addresses of samples and lines stand for on the topology."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from billing.metering import item_key_of
from provisioning.models import Item, Overlay, Version


def describe_subjects(subjects: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Address → thing, in three queries however many there are."""
    subjects = set(subjects)
    keys = {item_key_of(subject) for subject in subjects} | {
        ("exchanges", part) for subject in subjects for part in subject.split("/")[2:]
    }
    items = {(item.kind, item.key): item for item in Item.objects.filter(key__in={key for _, key in keys})}
    # The newest name there is: of the newest revision, or of a draft for what was never provisioned.
    numbers = [item.number for item in items.values()]
    names = dict(Overlay.objects.filter(item__in=numbers).order_by("pk").values_list("item_id", "name"))
    names.update(Version.objects.filter(item__in=numbers).order_by("first").values_list("item_id", "name"))

    def name(kind: str, key: str) -> str:
        item = items.get((kind, key))
        return names.get(item.number, key) if item else key

    def thing(subject: str) -> dict[str, Any]:
        kind, key = item_key_of(subject)
        item, own = items.get((kind, key)), name(kind, key)
        match subject.split("/")[2:]:
            case [exchange, "instance", number]:
                title = f"{own} at {name('exchanges', exchange)}, instance {number}"
            case ["to", exchange]:
                title = f"{own} to {name('exchanges', exchange)}"
            case _:
                title = own
        uid = str(item.uid) if item else None
        return {"address": subject, "uid": uid, "kind": kind, "key": key, "name": own, "title": title}

    return {subject: thing(subject) for subject in subjects}
