"""The names of the objects that addresses of resources and paths of problems hold by key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from provisioning.models import Draft, Overlay, Version

ObjectNames = dict[tuple[str, str], str]
"""(kind, key) → name."""
_KINDS = {"exchange": "exchanges", "segment": "segments", "connector": "connectors", "service": "services"}
"""Part of an address → kind of the object whose key follows."""
_NODES = ("1", "2")


def names_in_addresses(addresses: Iterable[str], draft: Draft) -> ObjectNames:
    """Return the names of all objects in the addresses."""
    return names_by_key({(kind, parts[index]) for parts in _split(addresses) for index, kind in _keys(parts)}, draft)


def names_by_key(wanted: Collection[tuple[str, str]], draft: Draft) -> ObjectNames:
    """Return the names of objects by (kind, key): as the draft has them, else as they were last."""
    where = {"item__kind__in": {kind for kind, _ in wanted}, "item__key__in": {key for _, key in wanted}}
    names: ObjectNames = {}
    for rows in (
        Version.objects.filter(**where).order_by("first"),
        Overlay.objects.filter(**where, draft=draft, body__isnull=False),
    ):
        names |= {(kind, key): name for kind, key, name in rows.values_list("item__kind", "item__key", "name")}
    return names


def address_by_names(address: str, names: ObjectNames) -> str:
    """Return an address with the names of its objects in place of their keys."""
    parts = address.split("/")
    for index, kind in list(_keys(parts)):
        parts[index] = names.get((kind, parts[index]), parts[index])
    return "/".join(parts)


def _split(addresses: Iterable[str]) -> Iterator[list[str]]:
    return (address.split("/") for address in addresses)


def _keys(parts: list[str]) -> Iterator[tuple[int, str]]:
    """Yield where the parts of an address hold a key, and of which kind: of an exchange also before a node's number."""
    for index in range(1, len(parts)):
        if kind := _KINDS.get(parts[index - 1]):
            yield index, kind
        elif parts[max(index - 2, 0)] == "service" or parts[index + 1 : index + 2] in ([node] for node in _NODES):
            yield index, "exchanges"
