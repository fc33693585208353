"""Bodies of intent compared and merged field by field.

A path is told like ``size``, ``settings.region`` or ``rules[web].ports``: objects of a list are told apart by what
names them (a rule by its name, an attachment by its segment), so that two people may change two rules of one policy.
A list without such names, like prefixes or ports, is one field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Take = Literal["mine", "theirs"]
Label = Callable[[str], str]
"""What a reference is called in paths."""
Difference = tuple[str, Any, Any]
"""path, before, after; null where there is nothing."""


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT: Final[Any] = _Absent()

_NAMES = (("name",), ("segment",), ("segment", "group"), ("exchange",), ("prefix",), ("prefix", "ge", "le"))
"""Fields that tell the objects of a list apart, the best first."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that both sides changed to different values; null where there is nothing."""

    path: str
    base: Any
    mine: Any
    theirs: Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any], label: Label = str) -> list[Difference]:
    """Every field that differs, in the order of ``after``."""
    return [(path, _plain(was), _plain(now)) for path, was, now in _walk("", before, after, label)]


def merge(
    base: Any, mine: Any, theirs: Any, label: Label = str, take: Callable[[str], Take | None] = lambda path: None
) -> tuple[Any, list[Conflict]]:
    """The three-way merge of one object's bodies (None: not there), and the conflicts that ``take`` does not decide.

    What only one side changed holds; where a conflict is not decided, mine stays.
    """
    merging = _Merging(label, take)
    merged = merging.values("", *(ABSENT if body is None else body for body in (base, mine, theirs)))
    return _plain(merged), merging.conflicts


class _Merging:
    def __init__(self, label: Label, take: Callable[[str], Take | None]) -> None:
        self.label, self.take = label, take
        self.conflicts: list[Conflict] = []

    def values(self, path: str, base: Any, mine: Any, theirs: Any) -> Any:
        if theirs == base or mine == theirs:
            return mine
        if mine == base:
            return theirs
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            return self.mappings(path, base if isinstance(base, Mapping) else ABSENT, mine, theirs)
        if isinstance(mine, list) and isinstance(theirs, list):
            named = _by_name([base if isinstance(base, list) else [], mine, theirs], self.label)
            if named is not None:
                return self.lists(path, *named)
        return self.decided(path, base, mine, theirs)

    def decided(self, path: str, base: Any, mine: Any, theirs: Any) -> Any:
        taken = self.take(path)
        if taken is None:
            self.conflicts.append(Conflict(path, *map(_plain, (base, mine, theirs))))
        return theirs if taken == "theirs" else mine

    def mappings(self, path: str, base: Any, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Any:
        if base is ABSENT:
            # Both made it: there is nothing to say whose field is the newer one.
            return self.decided(path, base, mine, theirs)
        merged = {}
        for key in {**theirs, **mine}:
            inner = f"{path}.{key}" if path else key
            merged[key] = self.values(inner, *(side.get(key, ABSENT) for side in (base, mine, theirs)))
        return {key: value for key, value in merged.items() if value is not ABSENT}

    def lists(self, path: str, base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]) -> list[Any]:
        merged = {}
        for name in {**theirs, **mine}:
            merged[name] = self.values(f"{path}[{name}]", *(side.get(name, ABSENT) for side in (base, mine, theirs)))
        there = [name for name, value in merged.items() if value is not ABSENT]
        return [merged[name] for name in self.order(path, there, list(base), list(mine), list(theirs))]

    def order(self, path: str, there: list[str], base: list[str], mine: list[str], theirs: list[str]) -> list[str]:
        """The first match decides among rules, so that an order both changed is a conflict like a field."""
        everywhere = [name for name in base if name in mine and name in theirs]
        here, other = ([name for name in side if name in everywhere] for side in (mine, theirs))
        if other in (everywhere, here):
            first, second = mine, theirs
        elif here == everywhere:
            first, second = theirs, mine
        else:
            taken = self.decided(f"{path} (order)", base, mine, theirs)
            first, second = (mine, theirs) if taken is mine else (theirs, mine)
        found = [name for name in first if name in there]
        for place, name in enumerate(second):
            if name in there and name not in found:
                before = next((other for other in reversed(second[:place]) if other in found), None)
                found.insert(found.index(before) + 1 if before is not None else 0, name)
        return found


def _walk(path: str, before: Any, after: Any, label: Label) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in {**after, **before}:
            inner = f"{path}.{key}" if path else key
            yield from _walk(inner, before.get(key, ABSENT), after.get(key, ABSENT), label)
        return
    named = _by_name([before, after], label) if isinstance(before, list) and isinstance(after, list) else None
    if named is None:
        yield path, before, after
        return
    was, now = named
    for name in {**now, **was}:
        yield from _walk(f"{path}[{name}]", was.get(name, ABSENT), now.get(name, ABSENT), label)
    if [name for name in was if name in now] != [name for name in now if name in was]:
        yield f"{path} (order)", list(was), list(now)


def _by_name(versions: Sequence[list[Any]], label: Label) -> list[dict[str, Any]] | None:
    """Each version's objects by the first fields that tell them apart in every version; None where none do."""
    if not all(isinstance(one, Mapping) for version in versions for one in version):
        return None
    for fields in _NAMES:
        told = [[_name(one, fields, label) for one in version] for version in versions]
        if all(None not in names and len(set(names)) == len(names) for names in told):
            return [
                dict(zip(map(str, names), version, strict=True)) for names, version in zip(told, versions, strict=True)
            ]
    return None


def _name(one: Mapping[str, Any], fields: tuple[str, ...], label: Label) -> str | None:
    if not all(field in one for field in fields) or not isinstance(one[fields[0]], str) or not one[fields[0]]:
        return None
    return "/".join("" if one[field] is None else label(str(one[field])) for field in fields)


def _plain(value: Any) -> Any:
    return None if value is ABSENT else value
