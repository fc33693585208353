"""The difference of two sets of resources, as changes in an order that can be carried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from itertools import chain

from provisioning.core.resource import Action, Body, Change, Resource, canonical, references
from provisioning.core.resource import digest as digest_of

ReplaceOn = Mapping[str, frozenset[str]]
"""kind → body fields whose change needs a replacement; drivers say so."""


def diff(
    observed: Mapping[str, Resource],
    desired: Mapping[str, Resource],
    replace_on: ReplaceOn | None = None,
    begun: Mapping[str, Resource] | None = None,
) -> list[Change]:
    """Changes that make ``observed`` into ``desired``: dependencies first, then removals, dependents first.

    ``depends`` of a change names other changes of the same plan only. A removal waits for everything that used the
    thing to be removed or changed. Where a cloud object is replaced its id changes, so what refers to it is changed
    too, or replaced where its driver says that the referring field needs it. Raises ValueError on circles.

    ``begun``: what earlier steps began to write and did not finish. It may be there or not, in whole or in part, so it
    is written again where it is wanted, however alike, and removed where it is not.
    """
    begun = begun or {}
    observed = {**{address: begun[address] for address in begun.keys() - desired.keys()}, **observed}
    made = _made(observed, desired, replace_on or {}, begun)
    removed = {address: resource for address, resource in observed.items() if address not in desired}
    changes = [
        Change(
            action,
            address,
            desired[address].kind,
            _before(address, observed, desired, begun),
            desired[address].body,
            tuple(sorted(_needs(desired[address]) & made.keys() - {address})),
            desired[address].subjects,
        )
        for address, action in made.items()
    ]
    users: dict[str, set[str]] = {address: set() for address in removed}
    for address, resource in chain(observed.items(), begun.items()):
        if address in removed or address in made:
            for needed in _needs(resource) & removed.keys() - {address}:
                users[needed].add(address)
    changes += [
        Change("remove", address, resource.kind, resource.body, None, tuple(sorted(users[address])), resource.subjects)
        for address, resource in removed.items()
    ]
    return _in_order(changes)


def _before(
    address: str, observed: Mapping[str, Resource], desired: Mapping[str, Resource], begun: Mapping[str, Resource]
) -> Body | None:
    """What a change comes from: what is known to be there, or where that is wanted, what was put over it since."""
    there = observed.get(address)
    if there is None:
        return None
    over = begun.get(address)
    return over.body if over and canonical(there.body) == canonical(desired[address].body) else there.body


def _needs(resource: Resource) -> set[str]:
    return {*resource.depends, *(address for address, _ in references(resource.body))}


def _made(
    observed: Mapping[str, Resource],
    desired: Mapping[str, Resource],
    replace_on: ReplaceOn,
    begun: Mapping[str, Resource],
) -> dict[str, Action]:
    """What is created, changed or replaced, replacements passed on to what refers to them."""
    made: dict[str, Action] = {}
    for address, resource in desired.items():
        before = observed.get(address)
        if before is None:
            made[address] = "create"
        elif before.kind != resource.kind:
            made[address] = "replace"
        elif address in begun or canonical(before.body) != canonical(resource.body):
            touched = _touched(before, resource) | _touched(begun.get(address, resource), resource)
            made[address] = "replace" if touched & _fixed(replace_on, resource) else "change"
    referring: dict[str, list[tuple[str, str]]] = {}
    for address, resource in desired.items():
        for field, value in resource.body.items():
            for target, _ in references(value):
                referring.setdefault(target, []).append((address, field))
    queue = [address for address, action in made.items() if action == "replace"]
    while queue:
        for address, field in referring.get(queue.pop(), ()):
            if made.get(address) in ("create", "replace"):
                continue
            if field in _fixed(replace_on, desired[address]):
                made[address] = "replace"
                queue.append(address)
            else:
                made[address] = "change"
    return made


def _fixed(replace_on: ReplaceOn, resource: Resource) -> frozenset[str]:
    return replace_on.get(resource.kind, frozenset())


def _touched(before: Resource, after: Resource) -> set[str]:
    return {
        field
        for field in {*before.body, *after.body}
        if canonical(before.body.get(field)) != canonical(after.body.get(field))
    }


def _in_order(changes: Iterable[Change]) -> list[Change]:
    """Topological, makes before removals, addresses in between."""
    by_address = {change.address: change for change in changes}
    waits = {address: len(change.depends) for address, change in by_address.items()}
    blocks: dict[str, list[str]] = {}
    for change in by_address.values():
        for needed in change.depends:
            blocks.setdefault(needed, []).append(change.address)
    ready = [(by_address[address].action == "remove", address) for address, count in waits.items() if not count]
    heapify(ready)
    ordered: list[Change] = []
    while ready:
        _, address = heappop(ready)
        ordered.append(by_address[address])
        for waiting in blocks.get(address, ()):
            waits[waiting] -= 1
            if not waits[waiting]:
                heappush(ready, (by_address[waiting].action == "remove", waiting))
    if len(ordered) < len(by_address):
        stuck = sorted(address for address, count in waits.items() if count)
        raise ValueError(f"resources depend on each other in a circle: {', '.join(stuck[:5])}")
    return ordered


def digest(changes: Iterable[Change]) -> str:
    """What an approval names: the same changes give the same digest in whatever order."""
    return digest_of(
        sorted(
            [
                [change.address, change.action, change.kind, canonical(change.before), canonical(change.after)]
                for change in changes
            ]
        )
    )
