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
    """Return the changes that make ``observed`` into ``desired``: dependencies first, then removals, dependents first.

    ``depends`` of a change names other changes of the same plan only. A removal waits until everything that used the
    resource is removed or changed. Where a cloud object is replaced its id changes, so what refers to it is changed
    too, or replaced where its driver says that the referring field needs it. Raises ValueError on circles.

    ``in_flight``: what earlier steps began to write and did not finish. It may be there or not, in whole or in part, so
    it is written again where it is desired, even if it looks the same, and removed where it is not.
    """
    in_flight = in_flight or {}
    if in_flight:
        observed = {**{address: in_flight[address] for address in in_flight.keys() - desired.keys()}, **observed}
    actions = _choose_actions(observed, desired, replace_on or {}, in_flight)
    removed = {address: resource for address, resource in observed.items() if address not in desired}
    changes = [
        Change(
            action,
            address,
            desired[address].kind,
            _before(address, observed, desired, in_flight),
            desired[address].body,
            tuple(needed for needed in desired[address].depends if needed in actions and needed != address),
            desired[address].subjects,
        )
        for address, action in actions.items()
    ]
    users: dict[str, set[str]] = {address: set() for address in removed}
    for address in chain(removed, actions) if removed else ():
        for resource in (observed.get(address), in_flight.get(address)):
            for needed in resource.depends if resource else ():
                if needed in users and needed != address:
                    users[needed].add(address)
    changes += [
        Change("remove", address, resource.kind, resource.body, None, tuple(sorted(users[address])), resource.subjects)
        for address, resource in removed.items()
    ]
    return _topological_order(changes)


def _is_same(before: Body, after: Body) -> bool:
    """Identity first: what is carried from one version of a network to the next is not read again."""
    return before is after or before == after


def _before(
    address: str, observed: Mapping[str, Resource], desired: Mapping[str, Resource], in_flight: Mapping[str, Resource]
) -> Body | None:
    """Return what a change starts from: what is known to be there; where that is what is desired, what an unfinished
    step wrote over it since."""
    known = observed.get(address)
    if known is None:
        return None
    unfinished = in_flight.get(address)
    return unfinished.body if unfinished and _is_same(known.body, desired[address].body) else known.body


def _choose_actions(
    observed: Mapping[str, Resource],
    desired: Mapping[str, Resource],
    replace_on: ReplaceOn,
    in_flight: Mapping[str, Resource],
) -> dict[str, Action]:
    """Return address → action for what is created, changed or replaced; replacements are passed on to what refers to
    them."""
    actions: dict[str, Action] = {}
    for address, resource in desired.items():
        before = observed.get(address)
        if before is resource and address not in in_flight:
            continue
        if before is None:
            actions[address] = "create"
        elif before.kind != resource.kind:
            actions[address] = "replace"
        elif address in in_flight or not _is_same(before.body, resource.body):
            touched = _changed_fields(before, resource) | _changed_fields(in_flight.get(address, resource), resource)
            actions[address] = "replace" if touched & _immutable_fields(replace_on, resource) else "change"
    replaced = [address for address, action in actions.items() if action == "replace"]
    if replaced:
        _propagate_replacements(replaced, desired, replace_on, actions)
    return actions


def _propagate_replacements(
    replaced: list[str], desired: Mapping[str, Resource], replace_on: ReplaceOn, actions: dict[str, Action]
) -> None:
    """Change what refers to a replaced resource, or replace it where the referring field cannot be changed."""
    users: dict[str, list[Resource]] = {}
    for resource in desired.values():
        for needed in resource.depends:
            users.setdefault(needed, []).append(resource)
    while replaced:
        target = replaced.pop()
        for user in users.get(target, ()):
            if actions.get(user.address) in ("create", "replace"):
                continue
            fields = {
                name for name, value in user.body.items() if any(to == target for to, _ in body_references(value))
            }
            if fields & _immutable_fields(replace_on, user):
                actions[user.address] = "replace"
                replaced.append(user.address)
            elif fields:
                actions[user.address] = "change"


def _immutable_fields(replace_on: ReplaceOn, resource: Resource) -> frozenset[str]:
    return replace_on.get(resource.kind, frozenset())


def _changed_fields(before: Resource, after: Resource) -> set[str]:
    return {field for field in {*before.body, *after.body} if before.body.get(field) != after.body.get(field)}


def _topological_order(changes: Iterable[Change]) -> list[Change]:
    """Return the changes dependencies first; among those that are ready, removals last, then by address.

    Raise ValueError when resources depend on each other in a circle. The algorithm is Kahn's (CACM 5(11), 1962). It is
    our own because ``graphlib`` takes 2.5 times as long for 40,000 changes, and the diff as a whole 1.4 times.
    """
    by_address = {change.address: change for change in changes}
    missing = {address: len(change.depends) for address, change in by_address.items()}
    dependants: dict[str, list[str]] = {}
    for change in by_address.values():
        for needed in change.depends:
            dependants.setdefault(needed, []).append(change.address)
    ready = [(by_address[address].action == "remove", address) for address, count in missing.items() if not count]
    heapify(ready)
    ordered: list[Change] = []
    while ready:
        _, address = heappop(ready)
        ordered.append(by_address[address])
        for dependant in dependants.get(address, ()):
            missing[dependant] -= 1
            if not missing[dependant]:
                heappush(ready, (by_address[dependant].action == "remove", dependant))
    if len(ordered) < len(by_address):
        circular = sorted(address for address, count in missing.items() if count)
        raise ValueError(f"resources depend on each other in a circle: {', '.join(circular[:5])}")
    return ordered
