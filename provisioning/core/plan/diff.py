"""The difference of two sets of resources, as changes in an order that can be carried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from itertools import chain

from provisioning.core.values.resource import Action, Body, Change, Resource, body_references

ReplaceOn = Mapping[str, frozenset[str]]
"""kind → body fields whose change needs a replacement; drivers say so."""


def diff_resources(
    observed: Mapping[str, Resource],
    desired: Mapping[str, Resource],
    replace_on: ReplaceOn | None = None,
    in_flight: Mapping[str, Resource] | None = None,
) -> list[Change]:
    """Changes that make ``observed`` into ``desired``: dependencies first, then removals, dependents first.

    ``depends`` of a change names other changes of the same plan only. A removal waits for everything that used the
    thing to be removed or changed. Where a cloud object is replaced its id changes, so what refers to it is changed
    too, or replaced where its driver says that the referring field needs it. Raises ValueError on circles.

    ``begun``: what earlier steps began to write and did not finish. It may be there or not, in whole or in part, so it
    is written again where it is wanted, however alike, and removed where it is not.
    """
    in_flight = in_flight or {}
    if in_flight:
        observed = {**{address: in_flight[address] for address in in_flight.keys() - desired.keys()}, **observed}
    made = _choose_actions(observed, desired, replace_on or {}, in_flight)
    removed = {address: resource for address, resource in observed.items() if address not in desired}
    changes = [
        Change(
            action,
            address,
            desired[address].kind,
            _before(address, observed, desired, in_flight),
            desired[address].body,
            tuple(needed for needed in desired[address].depends if needed in made and needed != address),
            desired[address].subjects,
        )
        for address, action in made.items()
    ]
    users: dict[str, set[str]] = {address: set() for address in removed}
    for address in chain(removed, made) if removed else ():
        for resource in (observed.get(address), in_flight.get(address)):
            for needed in resource.depends if resource else ():
                if needed in users and needed != address:
                    users[needed].add(address)
    changes += [
        Change("remove", address, resource.kind, resource.body, None, tuple(sorted(users[address])), resource.subjects)
        for address, resource in removed.items()
    ]
    return _topological_order(changes)


def _is_same(one: Body, other: Body) -> bool:
    """Identity first: what is carried from one version of a network to the next is not read again."""
    return one is other or one == other


def _before(
    address: str, observed: Mapping[str, Resource], desired: Mapping[str, Resource], in_flight: Mapping[str, Resource]
) -> Body | None:
    """What a change comes from: what is known to be there, or where that is wanted, what was put over it since."""
    there = observed.get(address)
    if there is None:
        return None
    over = in_flight.get(address)
    return over.body if over and _is_same(there.body, desired[address].body) else there.body


def _choose_actions(
    observed: Mapping[str, Resource],
    desired: Mapping[str, Resource],
    replace_on: ReplaceOn,
    in_flight: Mapping[str, Resource],
) -> dict[str, Action]:
    """What is created, changed or replaced, replacements passed on to what refers to them."""
    made: dict[str, Action] = {}
    for address, resource in desired.items():
        before = observed.get(address)
        if before is resource and address not in in_flight:
            continue
        if before is None:
            made[address] = "create"
        elif before.kind != resource.kind:
            made[address] = "replace"
        elif address in in_flight or not _is_same(before.body, resource.body):
            touched = _changed_fields(before, resource) | _changed_fields(in_flight.get(address, resource), resource)
            made[address] = "replace" if touched & _immutable_fields(replace_on, resource) else "change"
    replaced = [address for address, action in made.items() if action == "replace"]
    if replaced:
        _propagate_replacements(replaced, desired, replace_on, made)
    return made


def _propagate_replacements(
    replaced: list[str], desired: Mapping[str, Resource], replace_on: ReplaceOn, made: dict[str, Action]
) -> None:
    """What refers to a replaced thing is changed with it, or replaced where the referring field cannot be changed."""
    users: dict[str, list[Resource]] = {}
    for resource in desired.values():
        for needed in resource.depends:
            users.setdefault(needed, []).append(resource)
    while replaced:
        target = replaced.pop()
        for user in users.get(target, ()):
            if made.get(user.address) in ("create", "replace"):
                continue
            fields = {
                name for name, value in user.body.items() if any(to == target for to, _ in body_references(value))
            }
            if fields & _immutable_fields(replace_on, user):
                made[user.address] = "replace"
                replaced.append(user.address)
            elif fields:
                made[user.address] = "change"


def _immutable_fields(replace_on: ReplaceOn, resource: Resource) -> frozenset[str]:
    return replace_on.get(resource.kind, frozenset())


def _changed_fields(before: Resource, after: Resource) -> set[str]:
    return {field for field in {*before.body, *after.body} if before.body.get(field) != after.body.get(field)}


def _topological_order(changes: Iterable[Change]) -> list[Change]:
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
