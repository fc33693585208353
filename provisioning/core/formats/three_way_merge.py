"""Bodies of intent compared and merged field by field.

A path is told like ``size``, ``settings.region`` or ``rules[web].ports``: objects of a list are told apart by what
names them (a rule by its name, an attachment by its segment), so that two people may change two rules of one policy.
A list without such names, like prefixes or ports, is one field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

MergeChoice = Literal["mine", "theirs"]
ReferenceLabel = Callable[[str], str]
"""What a reference is called in paths."""
FieldDifference = tuple[str, Any, Any]
"""path, before, after; null where there is nothing."""


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT: Final[Any] = _Absent()

_LIST_KEYS = (("name",), ("segment",), ("segment", "groups"), ("exchange",), ("prefix",), ("prefix", "ge", "le"))
"""Fields that tell the objects of a list apart, the best first."""


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """A field that both sides changed to different values; null where there is nothing."""

    path: str
    base: Any
    mine: Any
    theirs: Any


def diff_bodies(
    before: Mapping[str, Any], after: Mapping[str, Any], label: ReferenceLabel = str
) -> list[FieldDifference]:
    """Every field that differs, in the order of ``after``."""
    return [
        (path, _absent_as_none(was), _absent_as_none(now)) for path, was, now in _diff_values("", before, after, label)
    ]


def merge_bodies(
    base: Any,
    mine: Any,
    theirs: Any,
    label: ReferenceLabel = str,
    take: Callable[[str], MergeChoice | None] = lambda path: None,
) -> tuple[Any, list[MergeConflict]]:
    """The three-way merge of one object's bodies (None: not there), and the conflicts that ``take`` does not decide.

    What only one side changed holds; where a conflict is not decided, mine stays.
    """
    merging = _Merger(label, take)
    merged = merging.merge_values("", *(ABSENT if body is None else body for body in (base, mine, theirs)))
    return _absent_as_none(merged), merging.conflicts


class _Merger:
    def __init__(self, label: ReferenceLabel, take: Callable[[str], MergeChoice | None]) -> None:
        self.label, self.take = label, take
        self.conflicts: list[MergeConflict] = []

    def merge_values(self, path: str, base: Any, mine: Any, theirs: Any) -> Any:
        if theirs == base or mine == theirs:
            return mine
        if mine == base:
            return theirs
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            return self.merge_mappings(path, base if isinstance(base, Mapping) else ABSENT, mine, theirs)
        if isinstance(mine, list) and isinstance(theirs, list):
            named = _key_by_name([base if isinstance(base, list) else [], mine, theirs], self.label)
            if named is not None:
                return self.merge_lists(path, *named)
        return self.resolve_conflict(path, base, mine, theirs)

    def resolve_conflict(self, path: str, base: Any, mine: Any, theirs: Any) -> Any:
        taken = self.take(path)
        if taken is None:
            self.conflicts.append(MergeConflict(path, *map(_absent_as_none, (base, mine, theirs))))
        return theirs if taken == "theirs" else mine

    def merge_mappings(self, path: str, base: Any, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Any:
        if base is ABSENT:
            # Both made it: there is nothing to say whose field is the newer one.
            return self.resolve_conflict(path, base, mine, theirs)
        merged = {}
        for key in {**theirs, **mine}:
            inner = f"{path}.{key}" if path else key
            merged[key] = self.merge_values(inner, *(side.get(key, ABSENT) for side in (base, mine, theirs)))
        return {key: value for key, value in merged.items() if value is not ABSENT}

    def merge_lists(self, path: str, base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]) -> list[Any]:
        merged = {}
        for name in {**theirs, **mine}:
            merged[name] = self.merge_values(
                f"{path}[{name}]", *(side.get(name, ABSENT) for side in (base, mine, theirs))
            )
        present = [name for name, value in merged.items() if value is not ABSENT]
        return [merged[name] for name in self.merge_order(path, present, list(base), list(mine), list(theirs))]

    def merge_order(
        self, path: str, present: list[str], base: list[str], mine: list[str], theirs: list[str]
    ) -> list[str]:
        """The first match decides among rules, so that an order both changed is a conflict like a field."""
        everywhere = [name for name in base if name in mine and name in theirs]
        here, other = ([name for name in side if name in everywhere] for side in (mine, theirs))
        if other in (everywhere, here):
            first, second = mine, theirs
        elif here == everywhere:
            first, second = theirs, mine
        else:
            taken = self.resolve_conflict(f"{path} (order)", base, mine, theirs)
            first, second = (mine, theirs) if taken is mine else (theirs, mine)
        order = [name for name in first if name in present]
        for index, name in enumerate(second):
            if name in present and name not in order:
                before = next((other for other in reversed(second[:index]) if other in order), None)
                order.insert(order.index(before) + 1 if before is not None else 0, name)
        return order


def _diff_values(path: str, before: Any, after: Any, label: ReferenceLabel) -> Iterator[FieldDifference]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in {**after, **before}:
            inner = f"{path}.{key}" if path else key
            yield from _diff_values(inner, before.get(key, ABSENT), after.get(key, ABSENT), label)
        return
    named = _key_by_name([before, after], label) if isinstance(before, list) and isinstance(after, list) else None
    if named is None:
        yield path, before, after
        return
    was, now = named
    for name in {**now, **was}:
        yield from _diff_values(f"{path}[{name}]", was.get(name, ABSENT), now.get(name, ABSENT), label)
    if [name for name in was if name in now] != [name for name in now if name in was]:
        yield f"{path} (order)", list(was), list(now)


def _key_by_name(versions: Sequence[list[Any]], label: ReferenceLabel) -> list[dict[str, Any]] | None:
    """Each version's objects by the first fields that tell them apart in every version; None where none do."""
    if not all(isinstance(item, Mapping) for version in versions for item in version):
        return None
    for fields in _LIST_KEYS:
        keys = [[_list_key(item, fields, label) for item in version] for version in versions]
        if all(None not in names and len(set(names)) == len(names) for names in keys):
            return [
                dict(zip(map(str, names), version, strict=True)) for names, version in zip(keys, versions, strict=True)
            ]
    return None


def _list_key(item: Mapping[str, Any], fields: tuple[str, ...], label: ReferenceLabel) -> str | None:
    if not all(field in item for field in fields) or not isinstance(item[fields[0]], str) or not item[fields[0]]:
        return None
    return "/".join(_label_of(item[field], label) for field in fields)


def _label_of(value: Any, label: ReferenceLabel) -> str:
    if isinstance(value, list):
        return "+".join(label(str(part)) for part in value)
    return "" if value is None else label(str(value))


def _absent_as_none(value: Any) -> Any:
    return None if value is ABSENT else value
