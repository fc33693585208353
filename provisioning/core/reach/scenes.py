"""Who may talk to whom under which lists: the three kinds of flows, each seen in one version of the network.

``Inside`` a segment and out of it to the internet, ``Shared`` from one segment to another, ``Published`` from the
internet to applications. Each says who holds which addresses on either side, gives its lists of lines in the order
they are tried, and can decide a single packet on the plain path.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from provisioning.core.values.addresses import ALL_V4, BOGON_RANGES, Range, complement, intersect, merge_ranges, subtract
from provisioning.core.intent import INTERNET, Segment
from provisioning.core.nat import Packet
from provisioning.core.reach.decision import Outcome, decide, decide_app, decide_shared
from provisioning.core.reach.ledger import (
    COVERED,
    DEFAULT,
    EVERYBODYS,
    FAMILY,
    GATE_HERE,
    GATE_THERE,
    HERES,
    PASSAGE,
    THERES,
)
from provisioning.core.reach.lines import FAMILIES, STANCE, Line, gate_lines, passage_lines
from provisioning.core.realm import App, Gate, Realm
from provisioning.core.roster import Member


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

    @property
    def names(self) -> frozenset[str]:
        """What people may mean it by: uids of groups, connectors and applications, ``any``, ``internet``."""
        if self.who is None:
            return frozenset((INTERNET,))
        if isinstance(self.who, App):
            return self.who.target.names | {self.who.app.uid}
        return self.who.names


class Stage(NamedTuple):
    """Lines that are no policy's; keys are equal in two versions where lines ask and do the same."""

    book: int
    lines: Sequence[Line]
    keys: Sequence[Hashable]


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
    def stages(self) -> dict[int, Stage]:
        """Everything but policies and firewalls."""

    @property
    @abstractmethod
    def starts(self) -> list[Holder]: ...

    @property
    @abstractmethod
    def ends(self) -> list[Holder]: ...

    @cached_property
    def _gate_places(self) -> dict[str, int]:
        """Of connectors with gates of their own, in the book of whom lines cover; the first is the stance's."""
        return {uid: place for place, uid in enumerate((one.connector for one in self.realm.gates if one.connector), 1)}

    def _gates(self) -> Stage:
        return _stage(self.realm.gates, self._gate_places)

    def _gated(self, member: Member | None = None) -> int:
        """Bits of the gates for flows that start at a member; without one, of all gates."""
        if member is None:
            return sum(1 << place for place in self._gate_places.values())
        place = self._gate_places.get(member.connector.uid)
        return 0 if place is None else 1 << place

    @cached_property
    def names(self) -> tuple[frozenset[str], frozenset[str]]:
        """Of anybody among the starts, and among the ends."""
        starts, ends = (frozenset().union(*(one.names for one in side)) for side in (self.starts, self.ends))
        return starts, ends

    @cached_property
    def bits(self) -> tuple[Bits, Bits]:
        """The policies that name anybody among the starts, and among the ends."""
        return named_by(self.starts), named_by(self.ends)

    @abstractmethod
    def outcome(self, start: Holder, end: Holder, packet: Packet) -> Outcome:
        """Of a flow that begins and ends at these holders, decided on the plain path."""


STANCED = 1
"""Bit of the stance among what covers somebody."""

Bits = tuple[int, int]
"""By book, HERES and THERES: bit p set for the policy at place p."""


def named_by(holders: Iterable[Holder]) -> Bits:
    """The policies that name any of them."""
    here = there = 0
    for one in holders:
        here |= one.bits[HERES]
        there |= one.bits[THERES]
    return here, there


def inside(realm: Realm) -> Inside:
    """Kept with its realm, as the others are."""
    if "inside" not in realm.memo:
        realm.memo["inside"] = Inside(realm)
    scene: Inside = realm.memo["inside"]
    return scene


def published(realm: Realm) -> Published:
    if "published" not in realm.memo:
        realm.memo["published"] = Published(realm)
    scene: Published = realm.memo["published"]
    return scene


def shared(realm: Realm, there: Realm) -> Shared:
    key = f"shared with {there.segment.uid}"
    scene: Shared | None = realm.memo.get(key)
    if scene is None or scene.there is not there:
        scene = realm.memo[key] = Shared(realm, there)
    return scene


_FAMILY = Stage(EVERYBODYS, FAMILIES, ("IPv4", "IPv6"))


class Inside(Scene):
    """Between members of one segment, and from them to the internet."""

    def __init__(self, realm: Realm) -> None:
        super().__init__(realm, realm)

    def stages(self) -> dict[int, Stage]:
        found = {FAMILY: _FAMILY, GATE_HERE: self._gates()}
        if self.segment.stance == "open":
            found[DEFAULT] = Stage(COVERED, [STANCE], ["open"])
        return found

    @cached_property
    def starts(self) -> list[Holder]:
        return [_start(member, 0, STANCED | self._gated(member)) for member in self.realm.members if member.sources]

    @cached_property
    def ends(self) -> list[Holder]:
        covered = STANCED | self._gated()
        found = [_end(member, (member.tos, 0, covered)) for member in self.realm.members if member.ranges]
        beyond = self._beyond() if self.realm.exits else ()
        if beyond:
            tos = self.realm.roster.named((INTERNET,))[1]
            found.append(Holder(INTERNET, INTERNET_TARGET, INTERNET, beyond, (tos, 0, 0), None))
        return found

    def _beyond(self) -> tuple[Range, ...]:
        owned = (held for one in (*self.realm.members, *self.realm.guests) for held in one.ranges)
        return complement(merge_ranges((*owned, *BOGON_RANGES)))

    def outcome(self, start: Holder, end: Holder, packet: Packet) -> Outcome:
        assert isinstance(start.who, Member) and not isinstance(end.who, App)
        return decide(self.realm, start.who, end.who, packet)


class Shared(Scene):
    """From members of one segment through shares to members of another; of both those that shares show."""

    def __init__(self, realm: Realm, there: Realm) -> None:
        super().__init__(realm, there)
        self.passages = [one for one in realm.passages if one.other == there.segment.uid and one.starts]

    def stages(self) -> dict[int, Stage]:
        lines = passage_lines(self.passages)
        return {
            FAMILY: _FAMILY,
            PASSAGE: Stage(EVERYBODYS, lines, _numbered(line[1:5] for line in lines)),
            GATE_HERE: self._gates(),
            # No flow starts behind a connector there.
            GATE_THERE: _stage([gate for gate in self.there.gates if gate.connector is None], {}),
        }

    @cached_property
    def starts(self) -> list[Holder]:
        own = _own(self.realm)
        shown = (guest for guest in self.there.guests if guest.segment.uid == self.realm.segment.uid)
        starts = ((own[id(guest.attachment)], guest.froms) for guest in shown if guest.sources)
        return [_start(member, froms, self._gated(member)) for member, froms in starts]

    @cached_property
    def ends(self) -> list[Holder]:
        theirs = _own(self.there)
        shown = [guest for guest in self.realm.guests if guest.segment.uid == self.there.segment.uid and guest.ranges]
        # What a member here owns is never routed to a guest.
        taken = merge_ranges(held for member in self.realm.members for held in member.ranges) if shown else ()
        found = []
        for guest in shown:
            member = theirs[id(guest.attachment)]
            bits = (guest.tos, member.tos, self._gated())
            ranges = subtract(member.ranges, taken) if intersect(guest.ranges, taken) else member.ranges
            found.append(_end(member, bits)._replace(ranges=ranges))
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

    def stages(self) -> dict[int, Stage]:
        # An application is one port of one address; whatever else is sent there has no route.
        ports = [Line(place, None, None, ((app.cell, app.cell),), ()) for place, app in enumerate(self.realm.apps)]
        return {FAMILY: _FAMILY, PASSAGE: Stage(COVERED, ports, [self._identity(app) for app in self.realm.apps])}

    @cached_property
    def starts(self) -> list[Holder]:
        froms = self.realm.roster.named((INTERNET,))[0]
        everywhere = (1 << len(self.realm.apps)) - 1
        return [Holder(INTERNET, INTERNET_SOURCE, INTERNET, (ALL_V4,), (froms, 0, everywhere), None)]

    @cached_property
    def ends(self) -> list[Holder]:
        named = self.realm.roster.named
        return [
            Holder(
                self._identity(app),
                INTERNET_TARGET,
                app.app.uid,
                ((app.public, app.public),),
                (named((app.app.uid,))[1], 0, 1 << place),
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


def _stage(gates: Sequence[Gate], places: Mapping[str, int]) -> Stage:
    lines = gate_lines(gates, places)
    told = zip(gates, lines, strict=True)
    return Stage(COVERED, lines, _numbered((gate.connector, *line[1:5]) for gate, line in told))


def _numbered(values: Iterable[Hashable]) -> list[Hashable]:
    """Keys of lines that are nothing but their values; equal ones are told apart by their number."""
    seen: Counter[Hashable] = Counter()
    keys: list[Hashable] = []
    for value in values:
        seen[value] += 1
        keys.append((value, seen[value]))
    return keys


def _own(realm: Realm) -> dict[int, Member]:
    """The members of a realm by their attachments, which guests have in common with them."""
    return {id(member.attachment): member for member in realm.members}
