"""Everything that a connector or a group can reach, and how."""

from __future__ import annotations

from dataclasses import dataclass

from provisioning.core.flows import describe
from provisioning.core.intent import ANY, INTERNET, Invalid
from provisioning.core.network import Network
from provisioning.core.reach.atlas import AddressClass, Atlas
from provisioning.core.reach.labels import Example, labels, packet_between
from provisioning.core.reach.rectangles import Pair, rectangles
from provisioning.core.realm import Realm
from provisioning.core.resource import Problem


@dataclass(frozen=True, slots=True)
class Reached:
    """Flows that are delivered; fields as in FlowChange. ``rule`` None: the segment's stance allows them."""

    from_: tuple[str, ...]
    to: tuple[str, ...]
    segment: str
    protocol: str
    ports: tuple[str, ...]
    via: tuple[str, ...]
    rule: str | None
    example: Example


def reach(network: Network, source: str) -> list[Reached]:
    """What ``source`` can reach: uid, name or key of a connector or group, or ``any``. Raises Invalid if there is none.

    Nothing is reached from the internet as long as there are no internet applications.
    """
    uid = _end(network, source)
    found: list[Reached] = []
    for segment in sorted(network.intent.segments.values(), key=lambda segment: segment.number):
        realm = network.realm(segment.uid)
        starts = [member.id for member in realm.members if names(member_uids(realm, member.id), uid)]
        if starts:
            found += _reached(network, realm, set(starts))
    return found


def _end(network: Network, wanted: str) -> str:
    if wanted in (ANY, INTERNET):
        return wanted
    item = network.find("groups", wanted) or network.find("connectors", wanted)
    if item is None:
        raise Invalid([Problem("unknown_reference", "from", f"There is no group or connector “{wanted}”.")])
    return str(item.uid)


def member_uids(realm: Realm, member_id: int) -> set[str | None]:
    """What a member is called by."""
    member = realm.members[member_id - 1]
    return {member.connector.uid, member.attachment.group}


def names(uids: set[str | None], wanted: str) -> bool:
    return wanted == ANY or wanted in uids


def _reached(network: Network, realm: Realm, starts: set[int]) -> list[Reached]:
    atlas = Atlas([realm])
    sources = [part for one in atlas.classes if (part := restricted(one, starts))]
    kinds: dict[tuple[int, str | None, tuple[str, ...]], list[Pair]] = {}
    for source in sources:
        for end in atlas.classes:
            if atlas.real(source, end):
                for mask, outcome in atlas.verdicts(0, source, end):
                    if outcome.delivered:
                        kinds.setdefault((mask, outcome.rule, outcome.chain), []).append((source, end))
    found = []
    for (mask, rule, chain), pairs in kinds.items():
        for some, ends in rectangles(pairs):
            pair = next((one, other) for one in some for other in ends if atlas.real(one, other))
            for told in describe(atlas.cells.intervals(mask)):
                found.append(
                    Reached(
                        from_=labels(network, realm, 0, some),
                        to=labels(network, realm, 0, ends),
                        segment=realm.segment.name,
                        protocol=told.protocol,
                        ports=told.ports,
                        via=tuple(realm.services[uid].name for uid in chain),
                        rule=rule,
                        example=packet_between(0, *pair, told.cell),
                    )
                )
    return sorted(found, key=lambda one: (one.to, one.from_, one.protocol, one.ports))


def restricted(one: AddressClass, members: set[int]) -> AddressClass | None:
    """The part of a class that some members own, of a single version; None when they own nothing of it."""
    part = AddressClass(one.views)
    for stretch, (owner,) in one.stretches:
        if owner is not None and owner.id in members:
            part.stretches.append((stretch, (owner,)))
            part.connectors.add(owner.connector.uid)
    return part if part.stretches else None
