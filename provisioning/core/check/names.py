"""References, names and what the catalogue offers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from provisioning.core.intent import (
    ANY,
    INTERNET,
    KINDS,
    Catalog,
    IntentObject,
    Kind,
    all_kinds,
    capitalise,
    kind_plural,
    kind_word,
)
from provisioning.core.intent.declaration import DeclaredField
from provisioning.core.intent.fields import CatalogueKey
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.fabric import MAX_EXCHANGES
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem
from provisioning.core.values.text import name_key

_UNKNOWN_REFERENCES = DerivedKey[list[Problem]]("unknown references, by kind")
_NOT_ON_OFFER = DerivedKey[list[Problem]]("values that are not on offer, by object")
_DUPLICATE_POSITIONS = DerivedKey[list[Problem]]("duplicate positions, by kind")
_NAME_KEYS = DerivedKey[str]("what names of a kind are compared by")


def check_references(network: Network) -> Iterator[Problem]:
    """Report references to objects that do not exist.

    Objects whose references are known are not looked at again before one that may be referred to is deleted.
    """
    intent = network.intent
    uids = {kind: frozenset(intent.of(kind)) for kind in KINDS}
    literals = frozenset((ANY, INTERNET))
    for kind in all_kinds():
        items = intent.of(kind.key)
        known = {
            kinds: literals.union(*(uids[named] for named in kinds)) if len(kinds) > 1 else uids[kinds[0]]
            for kinds in sorted(kind.declaration.kinds_named())
        }
        if not known:
            continue

        def find(item: IntentObject) -> list[Problem]:
            return list(_unknown_references(kind, item, known))  # noqa: B023  (called at once)

        shared = tuple(map(_Known, known.values()))
        unknown = network.derived.get_by_object(_UNKNOWN_REFERENCES, items, find, shared=shared, of=kind.key)
        for item in sorted((items[uid] for uid in unknown), key=lambda item: item.number):
            # What was unknown may be there again.
            yield from find(item)


@dataclass(frozen=True, eq=False)
class _Known:
    """The uids that may be referred to. Equal to later ones that have all of them: no reference is broken by those."""

    uids: frozenset[str]

    def __eq__(self, later: object) -> bool:
        return isinstance(later, _Known) and self.uids <= later.uids

    __hash__ = None  # type: ignore[assignment]


def _unknown_references(
    kind: Kind, item: IntentObject, known: Mapping[tuple[str, ...], frozenset[str]]
) -> Iterator[Problem]:
    for path, kinds, uids in kind.declaration.named_objects(item):
        if known[kinds].issuperset(uids):
            continue
        for index, uid in enumerate(uids):
            if uid is not None and uid not in known[kinds]:
                yield Problem(
                    "unknown_reference",
                    f"{kind.key}/{item.key}/{path.replace('[]', f'[{index}]')}",
                    f"{object_label(kind.key, item)} names a {' or '.join(map(kind_word, kinds))} that does not exist "
                    "any more. Choose another one.",
                )


def object_label(kind: str, item: IntentObject) -> str:
    return f"{capitalise(kind_word(kind))} “{item.name}”"


def check_catalog_values(network: Network) -> Iterator[Problem]:
    """Report locations, sizes and products that the catalogue does not offer."""
    catalog = network.intent.catalog
    for kind in all_kinds():
        fields = [
            (field, field.spec.offers) for field in kind.declaration.fields if isinstance(field.spec, CatalogueKey)
        ]
        if fields:
            items = network.intent.of(kind.key)
            find = partial(_values_not_on_offer, kind.key, fields, catalog)
            problems = network.derived.get_by_object(_NOT_ON_OFFER, items, find, shared=(catalog,), of=kind.key)
            for uid in sorted(problems, key=lambda uid: items[uid].number):
                yield from problems[uid]


def _values_not_on_offer(
    kind: str, fields: Sequence[tuple[DeclaredField, str]], catalog: Catalog, item: IntentObject
) -> list[Problem]:
    return [
        Problem(
            "not_one_of",
            f"{kind}/{item.key}/{field.name}",
            f"{object_label(kind, item)}: the {field.name} “{value}” is not on offer. "
            f"Choose one of {', '.join(sorted(offered)) or 'none (the catalogue is empty)'}.",
        )
        for field, offers in fields
        for offered in [getattr(catalog, offers)]
        if (value := getattr(item, field.attribute)) not in offered
    ]


def check_duplicate_names(network: Network) -> Iterator[Problem]:
    """Report names that are not unique in their kind."""
    for kind in KINDS:
        yield from _duplicate_names(network, kind)


def _duplicate_names(network: Network, kind: str) -> Iterator[Problem]:
    items = network.intent.of(kind)
    keys = network.derived.get_by_object(_NAME_KEYS, items, lambda item: name_key(item.name), of=kind)
    if len(set(keys.values())) == len(items):
        return
    first: dict[str, IntentObject] = {}
    for uid, item in items.items():
        other = first.setdefault(keys[uid], item)
        if other is not item:
            yield Problem(
                "duplicate_name",
                f"{kind}/{item.key}/name",
                f"Two {kind_plural(kind)} are called “{item.name}”. Give one of them another name.",
            )


def check_duplicate_positions(network: Network) -> Iterator[Problem]:
    """Report positions that two objects of a kind have which are equal in the fields ``among`` of its declaration."""
    for kind in all_kinds():
        if kind.position is not None:
            items = tuple(network.intent.of(kind.key).values())
            find = partial(_duplicate_positions, kind.key, kind.position.among, items)
            yield from network.derived.get(_DUPLICATE_POSITIONS, items, find, of=kind.key)


def _duplicate_positions(kind: str, among: tuple[str, ...], items: Iterable[Any]) -> list[Problem]:
    first: dict[Any, Any] = {}
    problems = []
    for item in items:
        other = first.setdefault((item.position, *(getattr(item, field) for field in among)), item)
        if other is not item:
            wrong = (
                f"{object_label(kind, other)} and “{item.name}” both have position {item.position}. Move one of them."
            )
            problems.append(Problem("duplicate_position", f"{kind}/{item.key}/position", wrong))
    return problems


def check_exchange_limits(network: Network) -> Iterator[Problem]:
    """Report two exchanges at one location, whose nodes carry one, and more exchanges than the mesh has indexes for."""
    intent = network.intent
    first: dict[str, Any] = {}
    for exchange in intent.exchanges.values():
        other = first.setdefault(exchange.location, exchange)
        if other is not exchange:
            yield Problem(
                "duplicate_location",
                f"exchanges/{exchange.key}/location",
                f"Exchanges “{other.name}” and “{exchange.name}” are both at {exchange.location}. Keep one of them.",
            )
    if len(intent.exchanges) > MAX_EXCHANGES:
        yield Problem(
            "too_many_exchanges",
            "exchanges",
            f"A network has at most {MAX_EXCHANGES} exchanges; this one has {len(intent.exchanges)}.",
        )
