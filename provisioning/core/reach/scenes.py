"""Who may talk to whom under which lists: the three kinds of flows, each seen in one version of the network.

``Inside`` a segment and out of it to the internet, ``Shared`` from one segment to another, ``Published`` from the
internet to applications. Each says who holds which addresses on either side, gives its lists of lines in the order
they are tried, and can decide a single packet on the plain path.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from provisioning.core.addresses import ALL_V4, Range, complement, intersect, merge, subtract
from provisioning.core.intent import INTERNET, Segment
from provisioning.core.nat import Packet
from provisioning.core.reach.decision import Outcome, decide, decide_app, decide_shared
from provisioning.core.reach.ledger import COVERED, DEFAULT, EVERYBODYS, FAMILY, GATE_HERE, GATE_THERE, PASSAGE
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

    def called(self, name: str) -> bool:
        """Whether people mean it by the uid of a group, connector or application, ``any`` or ``internet``."""
        if self.who is None:
            return name == INTERNET
        if isinstance(self.who, App):
            return name == self.who.app.uid or name in self.who.target.names
        return name in self.who.names


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

    @abstractmethod
    def outcome(self, start: Holder, end: Holder, packet: Packet) -> Outcome:
        """Of a flow that begins and ends at these holders, decided on the plain path."""


_FAMILY = Stage(EVERYBODYS, FAMILIES, ("IPv4", "IPv6"))


class Inside(Scene):
    """Between members of one segment, and from them to the internet."""

    def __init__(self, realm: Realm) -> None:
        super().__init__(realm, realm)

    def stages(self) -> dict[int, Stage]:
        found = {FAMILY: _FAMILY, GATE_HERE: _gates(self.realm.gates)}
        if self.segment.stance == "open":
            found[DEFAULT] = Stage(COVERED, [STANCE], ["open"])
        return found

    @cached_property
    def starts(self) -> list[Holder]:
        return [_start(member, 0, covered=1) for member in self.realm.members if member.sources]

    @cached_property
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

    def stages(self) -> dict[int, Stage]:
        lines = passage_lines(self.passages)
        return {
            FAMILY: _FAMILY,
            PASSAGE: Stage(EVERYBODYS, lines, _numbered(line[1:5] for line in lines)),
            GATE_HERE: _gates(self.realm.gates),
            GATE_THERE: _gates(self.there.gates),
        }

    @cached_property
    def starts(self) -> list[Holder]:
        own = _own(self.realm)
        shown = (guest for guest in self.there.guests if guest.segment.uid == self.realm.segment.uid)
        return [_start(own[id(guest.attachment)], guest.froms, covered=0) for guest in shown if guest.sources]

    @cached_property
    def ends(self) -> list[Holder]:
        theirs = _own(self.there)
        shown = [guest for guest in self.realm.guests if guest.segment.uid == self.there.segment.uid and guest.ranges]
        # What a member here owns is never routed to a guest.
        taken = merge(held for member in self.realm.members for held in member.ranges) if shown else ()
        found = []
        for guest in shown:
            member = theirs[id(guest.attachment)]
            bits = (guest.tos, member.tos, 0)
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


def _gates(gates: Sequence[Gate]) -> Stage:
    lines = gate_lines(gates)
    return Stage(EVERYBODYS, lines, _numbered(line[1:5] for line in lines))


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
