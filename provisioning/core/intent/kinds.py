"""The kinds of objects: each is one declaration, everything about it is derived from that.

``KINDS`` is a live view of the kinds in their order, which is the order of documents and menus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, overload

from provisioning.core.intent.declaration import Declaration, DeclaredField, declaration_of
from provisioning.core.intent.field_reader import InvalidIntent
from provisioning.core.intent.fields import Choice, Position
from provisioning.core.intent.kind_words import WORDS
from provisioning.core.intent.old_names import RenamedFrom
from provisioning.core.values.resource import Problem


@dataclass(frozen=True)
class Kind:
    """``key``: as the API calls it; ``word``, ``plural``: in sentences; ``about``: one or two sentences, shown
    where a tenant has none yet; ``example``: a body as it may be sent, references by name.

    ``counted``: the blast radius of a plan counts how many of them it touches. ``affects_connectors``: it says
    something about connectors without being part of one, so a change of it touches those that it names.
    """

    key: str
    type: type
    word: str
    plural: str
    about: str
    example: Mapping[str, Any]
    counted: bool = field(default=False, kw_only=True)
    affects_connectors: bool = field(default=False, kw_only=True)

    @property
    def declaration(self) -> Declaration:
        return declaration_of(self.type)

    @property
    def renamed_fields(self) -> tuple[tuple[str, RenamedFrom], ...]:
        return self.declaration.renamed_fields

    @cached_property
    def filters(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """What lists are filtered by → where bodies hold it; ``*`` stands for each of a list."""
        paths: dict[str, tuple[tuple[str, ...], ...]] = {}
        for path, declared in self.declaration.walk():
            if declared.spec.filter:
                name = declared.spec.filter if isinstance(declared.spec.filter, str) else declared.name
                where = (*path, "*") if declared.spec.is_list else path
                paths[name] = (*paths.get(name, ()), where)
        return paths

    @cached_property
    def bulk_fields(self) -> dict[str, tuple[tuple[str, ...], DeclaredField]]:
        """What is changed for many at once → its path in bodies, ``*`` for each of a list, and the field."""
        return {declared.name: (path, declared) for path, declared in self.declaration.walk() if declared.spec.in_bulk}

    @cached_property
    def orders(self) -> tuple[str, ...]:
        """Whole numbers that lists are ordered by."""
        return tuple(declared.name for declared in self.declaration.fields if declared.spec.order)

    @cached_property
    def position(self) -> Position | None:
        """How objects of the kind are put in order, where they are."""
        specs = (declared.spec for declared in self.declaration.fields)
        return next((spec for spec in specs if isinstance(spec, Position)), None)

    def order_of(self, body: Mapping[str, Any]) -> tuple[int, int]:
        """Return what bodies of a kind with positions are sorted by."""
        within = self.position.within if self.position else None
        return [*self._options(within)].index(body[within]) if within else 0, body["position"]

    def _options(self, name: str) -> Mapping[str, str]:
        spec = self.declaration.by_name[name].spec
        assert isinstance(spec, Choice)
        return spec.options


_KINDS: dict[str, Kind] = {}


class _KindKeys(Sequence[str]):
    """The keys of the kinds there are, whenever they are asked for."""

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        return list(_KINDS)[index]

    def __len__(self) -> int:
        return len(_KINDS)

    def __iter__(self) -> Iterator[str]:
        return iter(_KINDS)

    def __contains__(self, key: object) -> bool:
        return key in _KINDS


KINDS = _KindKeys()


def kind_of(key: str) -> Kind:
    """Return the declaration of a kind. Raises InvalidIntent where there is none."""
    try:
        return _KINDS[key]
    except (KeyError, TypeError):
        problem = Problem("unknown_kind", "kind", f"There are no objects of kind “{key}”.")
        raise InvalidIntent([problem]) from None


def all_kinds() -> list[Kind]:
    return list(_KINDS.values())


def register_kind(kind: Kind) -> None:
    assert kind.key not in _KINDS, f"{kind.key} is a kind already"
    _KINDS[kind.key] = kind
    WORDS[kind.key] = (kind.word, kind.plural)


@contextmanager
def registered_kind(kind: Kind) -> Iterator[Kind]:
    """A kind that there is for a while, last in order: for tests."""
    register_kind(kind)
    try:
        yield kind
    finally:
        del _KINDS[kind.key], WORDS[kind.key]
