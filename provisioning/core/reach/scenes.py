"""Who may talk to whom under which lists: the three kinds of flows, each seen in one version of the network.

``Inside`` a segment and out of it to the internet, ``Shared`` from one segment to another, ``Published`` from the
internet to applications. Each says who holds which addresses on either side, gives its lists of lines in the order
they are tried, and can decide a single packet on the plain path.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from functools import cached_property
from typing import NamedTuple

from provisioning.core.addresses import ALL_V4, Range, complement, intersect, merge, subtract
from provisioning.core.intent import INTERNET, Segment
from provisioning.core.nat import Packet
from provisioning.core.reach.decision import Outcome, decide, decide_app, decide_shared
from provisioning.core.reach.lines import (
    FAMILIES,
    STANCE,
    Alike,
    Line,
    gate_lines,
    passage_lines,
    rule_keys,
    rule_lines,
    value_keys,
)
from provisioning.core.realm import App, Realm
from provisioning.core.roster import Member

FAMILY, PASSAGE, GATE_HERE, GATE_THERE, HERE, DEFAULT, THERE, FIREWALL = range(8)
"""Stages of a list. Lines of HERE and DEFAULT are one first-match list, those of THERE another."""

EVERYBODYS, HERES, THERES, COVERED = range(-1, 3)
"""Books: whose policies say whom a line names. COVERED is no realm's: it says for whom a stance or a port is."""


class Holder(NamedTuple):
    """Somebody who holds addresses on one side.

    identity: flows of two versions are compared where it is equal; for destinations it leaves members out, since who
    owns an address may change while the address stays. connector: uid, or a word that no connector has.
    named: what decides about the rules that name it; equal in two versions, equal rules name it alike.
    bits: by book, the policies that name it on this side.
    """

    identity: Hashable
    connector: str
    named: Hashable
    ranges: tuple[Range, ...]
    bits: tuple[int, int, int]
    who: Member | App | None

    def called(self, name: str) -> bool:
        """Whether people mean it by the uid of a group, connector or application, ``any`` or ``internet``."""
        if self.who is None:
            return name == INTERNET
        if isinstance(self.who, App):
            return name == self.who.app.uid or name in self.who.target.names
        return name in self.who.names


class Stage(NamedTuple):
    book: int
    lines: list[Line]
    keys: list[Hashable]


INTERNET_SOURCE, INTERNET_TARGET = "from the internet", "to the internet"


class Scene(ABC):
    """One version of one kind of flows. realm: where they start; ``there``: where they end."""

    def __init__(self, realm: Realm, there: Realm) -> None:
        self.realm, self.there = realm, there

    @property
    def segment(self) -> Segment:
        return self.realm.segment

    @property
    def to_segment(self) -> Segment | None:
        """Where that is another one."""
        return None if self.there is self.realm else self.there.segment

    @abstractmethod
    def stages(self, other: Scene | None, version: int) -> dict[int, Stage]:
        """Everything but firewalls; keys are made for comparing with ``other``."""

    @abstractmethod
    def starts(self) -> list[Holder]: ...

    @abstractmethod
    def ends(self) -> list[Holder]: ...

    @abstractmethod
    def outcome(self, start: Holder, end: Holder, packet: Packet) -> Outcome:
        """Of a flow that begins and ends at these holders, decided on the plain path."""

    def _stages(self, alike: Alike, version: int) -> dict[int, Stage]:
        """What all kinds have."""
        return {
            FAMILY: Stage(EVERYBODYS, list(FAMILIES), ["IPv4", "IPv6"]),
            HERE: Stage(HERES, rule_lines(self.realm), rule_keys(self.realm, alike, version)),
        }


class Inside(Scene):
    """Between members of one segment, and from them to the internet."""

    def __init__(self, realm: Realm) -> None:
        super().__init__(realm, realm)

    def stages(self, other: Scene | None, version: int) -> dict[int, Stage]:
        alike = Alike(self.realm, other.realm if other else None)
        found = self._stages(alike, version)
        gates = gate_lines(self.realm.gates)
        found[GATE_HERE] = Stage(EVERYBODYS, gates, value_keys(gates, alike, version))
        if self.segment.stance == "open":
            found[DEFAULT] = Stage(COVERED, [STANCE], ["open"])
        return found

    def starts(self) -> list[Holder]:
        return [_start(member, 0, covered=1) for member in self.realm.members if member.sources]

    def ends(self) -> list[Holder]:
        found = [_end(member, (member.tos, 0, 1)) for member in self.realm.members if member.ranges]
        beyond = self._beyond() if self.realm.exits else ()
        if beyond:
            tos = self.realm.roster.named((INTERNET,))[1]
            found.append(Holder(INTERNET, INTERNET_TARGET, INTERNET, beyond, (tos, 0, 0), None))
        return found

    def _beyond(self) -> tuple[Range, ...]:
        owned = (held for one in (*self.realm.members, *self.realm.guests) for held in one.ranges)
        return complement(merge(owned))

    def outcome(self, start: Holder, end: Holder, packet: Packet) -> Outcome:
        assert isinstance(start.who, Member) and not isinstance(end.who, App)
        return decide(self.realm, start.who, end.who, packet)


class Shared(Scene):
    """From members of one segment through shares to members of another; of both those that shares show."""

    def __init__(self, realm: Realm, there: Realm) -> None:
        super().__init__(realm, there)
        self.passages = [one for one in realm.passages if one.other == there.segment.uid and one.starts]

    def stages(self, other: Scene | None, version: int) -> dict[int, Stage]:
        alike = Alike(self.realm, other.realm if other else None)
        found = self._stages(alike, version)
        lines = passage_lines(self.passages)
        found[PASSAGE] = Stage(EVERYBODYS, lines, value_keys(lines, alike, version))
        for stage, realm in ((GATE_HERE, self.realm), (GATE_THERE, self.there)):
            gates = gate_lines(realm.gates)
            found[stage] = Stage(EVERYBODYS, gates, value_keys(gates, alike, version))
        theirs = Alike(self.there, other.there if other else None)
        found[THERE] = Stage(THERES, rule_lines(self.there), rule_keys(self.there, theirs, version))
        return {stage: self._that_matter(held) for stage, held in found.items()}

    def _that_matter(self, stage: Stage) -> Stage:
        """A share shows few members, and few rules name those."""
        if stage.book not in (HERES, THERES):
            return stage
        froms = tos = 0
        for one in self.starts():
            froms |= one.bits[stage.book]
        for one in self.ends():
            tos |= one.bits[stage.book]
        named = froms & tos
        kept = [place for place, line in enumerate(stage.lines) if named >> line.policy & 1]
        return Stage(stage.book, [stage.lines[place] for place in kept], [stage.keys[place] for place in kept])

    def starts(self) -> list[Holder]:
        return self._starts

    def ends(self) -> list[Holder]:
        return self._ends

    @cached_property
    def _starts(self) -> list[Holder]:
        naming, near = self.there.roster.naming, merge(held for one in self.passages for held in one.near)
        return [
            _start(member, naming(member.connector, member.attachment)[0], covered=0)
            for member in self.realm.members
            if intersect(member.sources, near)
        ]

    @cached_property
    def _ends(self) -> list[Holder]:
        naming, far = self.realm.roster.naming, merge(held for one in self.passages for held in one.far)
        # What a member here owns is never routed to a guest.
        own = merge(held for member in self.realm.members for held in member.ranges)
        found = []
        for member in self.there.members:
            if intersect(member.ranges, far):
                tos = naming(member.connector, member.attachment)[1]
                found.append(_end(member, (tos, member.tos, 0))._replace(ranges=subtract(member.ranges, own)))
        return [one for one in found if one.ranges]

    def outcome(self, start: Holder, end: Holder, packet: Packet) -> Outcome:
        assert isinstance(start.who, Member)
        passage = self.realm.passage(self.there.segment.uid, packet.source, packet.destination)
        if passage is None:
            return Outcome("isolated")
        return decide_shared(self.realm, self.there, passage, start.who, packet)


class Published(Scene):
    """From the internet to the applications of one segment."""

    def __init__(self, realm: Realm) -> None:
        super().__init__(realm, realm)

    def stages(self, other: Scene | None, version: int) -> dict[int, Stage]:
        found = self._stages(Alike(self.realm, other.realm if other else None), version)
        # An application is one port of one address; whatever else is sent there has no route.
        ports = [Line(place, None, None, ((app.cell, app.cell),), ()) for place, app in enumerate(self.realm.apps)]
        found[PASSAGE] = Stage(COVERED, ports, [self._identity(app) for app in self.realm.apps])
        return found

    def starts(self) -> list[Holder]:
        froms = self.realm.roster.named((INTERNET,))[0]
        everywhere = (1 << len(self.realm.apps)) - 1
        return [Holder(INTERNET, INTERNET_SOURCE, INTERNET, (ALL_V4,), (froms, 0, everywhere), None)]

    def ends(self) -> list[Holder]:
        return [
            Holder(
                self._identity(app),
                INTERNET_TARGET,
                app.app.uid,
                ((app.public, app.public),),
                (self.realm.roster.named((app.app.uid,))[1], 0, 1 << place),
                app,
            )
            for place, app in enumerate(self.realm.apps)
        ]

    @staticmethod
    def _identity(app: App) -> Hashable:
        """With another target it is another place."""
        return app.app.uid, app.public, app.cell, app.target.connector.uid, app.addresses, app.port

    def outcome(self, start: Holder, end: Holder, packet: Packet) -> Outcome:
        assert isinstance(end.who, App)
        return decide_app(self.realm, end.who, packet)


def _start(member: Member, froms_there: int, covered: int) -> Holder:
    connector = member.connector.uid
    bits = (member.froms, froms_there, covered)
    return Holder(connector, connector, (connector, member.attachment.group), member.sources, bits, member)


def _end(member: Member, bits: tuple[int, int, int]) -> Holder:
    connector = member.connector.uid
    return Holder("member", connector, (connector, member.attachment.group), member.ranges, bits, member)
