"""Everything that one version of a network takes over from the version before.

A derived value is kept together with its *reads*: all the values it was made from. A later version gets the same object
as long as its reads are equal, and derives it again when they are not. Nothing else is carried from version to version.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

Reads = tuple[Any, ...]
"""Everything a value was made from. Compared with ``==``; objects that define no equality are compared by identity."""


class DerivedKey(Generic[Value]):
    """One kind of derived value. It is declared once, beside the function that makes the value, and equals only itself.

    name: for people who look into a store with a debugger.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"DerivedKey({self.name!r})"


class Derived:
    """Derived values by key and by the object they are about (``of``: its uid, or a tuple that may hold uids).

    previous: the store of the version before; its entries are taken over, and its later entries are not seen.
    deleted: uids of objects that the version before had and this one has not; entries about them are dropped.
    """

    def __init__(self, previous: Derived | None = None, deleted: Collection[str] = ()) -> None:
        # A plain copy cannot be disturbed by a thread that still adds entries to the version before.
        self._entries: dict[tuple[DerivedKey[Any], Hashable], tuple[Reads, Any]] = (
            dict(previous._entries) if previous else {}
        )
        self._compared: dict[tuple[int, int], tuple[Any, Any, Collection[str], Collection[str]]] = {}
        """By the ids of two mappings: what differs, which several keys ask for."""
        if deleted:
            gone = frozenset(deleted)
            for entry in [(key, of) for key, of in self._entries if _is_about(of, gone)]:
                del self._entries[entry]

    def get(self, key: DerivedKey[Value], reads: Reads, make: Callable[[], Value], *, of: Hashable = None) -> Value:
        """Return the value that was made from equal reads, or call ``make``."""
        entry = self._entries.get((key, of))
        if entry is None or entry[0] != reads:
            entry = self._entries[key, of] = (reads, make())
        value: Value = entry[1]
        return value

    def get_each(
        self,
        key: DerivedKey[Value],
        reads: Mapping[str, Reads],
        make: Callable[[str], Value],
        *,
        shared: Reads = (),
        of: Hashable = None,
    ) -> list[Value]:
        """Return one value for each uid in ``reads``, in its order; values of other uids are dropped.

        shared: what all of them read besides; it is compared once.
        """
        entry = self._entries.get((key, of))
        before: dict[str, tuple[Reads, Value]] = entry[1] if entry is not None and entry[0] == shared else {}
        after: dict[str, tuple[Reads, Value]] = {}
        for uid, own in reads.items():
            known = before.get(uid)
            after[uid] = known if known is not None and known[0] == own else (own, make(uid))
        self._entries[key, of] = (shared, after)
        return [value for _, value in after.values()]

    def get_by_object(
        self,
        key: DerivedKey[Value],
        objects: Mapping[str, Any],
        make: Callable[[Any], Value],
        *,
        shared: Reads = (),
        of: Hashable = None,
    ) -> dict[str, Value]:
        """Return uid → value for the objects whose value is not empty, in no order.

        A value is made from one object and from ``shared``. Of thousands of objects only those are looked at that are
        not the very ones of the version before.
        """
        entry = self._entries.get((key, of))
        before, values = entry[1] if entry is not None and entry[0] == shared else ({}, {})
        changed, deleted = self._differences(before, objects)
        if changed or deleted:
            made = {uid: make(objects[uid]) for uid in changed}
            values = {**values, **made}
            for uid in (*deleted, *(uid for uid, value in made.items() if not value)):
                values.pop(uid, None)
        self._entries[key, of] = (shared, (objects, values))
        return values

    def token(self, objects: Mapping[str, Any], *, of: Hashable) -> object:
        """Return the same token as in the version before where these are the very same objects: a read for all."""
        before, token = self._entries.get((_TOKEN, of), ((), ({}, object())))[1]
        if any(self._differences(before, objects)):
            token = object()
        self._entries[_TOKEN, of] = ((), (objects, token))
        return token

    def _differences(
        self, before: Mapping[str, Any], objects: Mapping[str, Any]
    ) -> tuple[Collection[str], Collection[str]]:
        """Return the uids of objects that were not there, or not the same, and of those that are gone."""
        if before is objects:
            return (), ()
        known = self._compared.get((id(before), id(objects)))
        if known is None:
            changed = [uid for uid, item in objects.items() if before.get(uid) is not item]
            # Both are kept, so that their ids stay theirs.
            known = before, objects, changed, before.keys() - objects.keys()
            self._compared[id(before), id(objects)] = known
        return known[2:]

    def get_valid(
        self, key: DerivedKey[Value], is_valid: Callable[[Value], bool], make: Callable[[], Value], *, of: Hashable
    ) -> Value:
        """Return the last value if it says itself that it still holds, or call ``make``.

        For values that know only when they are made what they have read.
        """
        entry = self._entries.get((key, of))
        if entry is None or not is_valid(entry[1]):
            entry = self._entries[key, of] = ((), make())
        value: Value = entry[1]
        return value

    def forget(self, key: DerivedKey[Any], *, of: Hashable = None) -> None:
        """Drop a value that nobody will ask for again, and with it the old objects that it has read."""
        self._entries.pop((key, of), None)


_TOKEN = DerivedKey[object]("token of some objects")


def _is_about(of: Hashable, uids: frozenset[str]) -> bool:
    return not uids.isdisjoint(of) if isinstance(of, tuple) else of in uids
