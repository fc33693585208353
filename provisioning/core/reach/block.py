"""One kind of flows between two sides, in one or two versions: the ledger of its lists and the atoms of both sides."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from provisioning.core.values.addresses import Range, address_text
from provisioning.core.values.l4 import L4Ranges, protocol_and_port
from provisioning.core.intent import Group
from provisioning.core.nat import Packet
from provisioning.core.reach.atlas import NOBODY, Side
from provisioning.core.reach.decision import Outcome
from provisioning.core.reach.labels import SOMEWHERE, Example, Names, pick
from provisioning.core.reach.ledger import GATE_HERE, HERE, HERES, PASSAGE, THERE, THERES, Ledger, Places, Sheet
from provisioning.core.reach.lines import Policies, paired
from provisioning.core.reach.lists import Lists
from provisioning.core.reach.order import aligned
from provisioning.core.reach.parties import Parties
from provisioning.core.reach.scenes import Scene, Shared, Stage
from provisioning.core.reach.verdicts import Judge


class Block:
    """scenes: one for each version, None where a version has no such flows.

    policies: those of the realms where the flows start and end. asked, cuts: cells and addresses that are asked about;
    lists and atoms are cut there too. changes: whether only what differs between two versions is asked about.
    """

    def __init__(
        self,
        scenes: Sequence[Scene | None],
        policies: tuple[Policies, Policies] | None = None,
        asked: Iterable[L4Ranges] = (),
        cuts: tuple[Range, ...] = (),
        changes: bool = False,
    ) -> None:
        self.scenes = scenes
        realms = [scene.realm if scene else None for scene in scenes]
        theirs = [scene.there if scene else None for scene in scenes]
        here, there = policies or (Policies(realms), Policies(theirs))
        sheets = _sheets(scenes, here)
        parties = Parties(scenes)
        if changes:
            parties.narrow(
                [here.touched, there.touched], any(None in pair for one in sheets.values() for pair in one.lines)
            )
        sheets[HERE] = Sheet(HERES, list(here.lines(parties.wanted(HERES))))
        if any(isinstance(scene, Shared) for scene in scenes):
            sheets[THERE] = Sheet(THERES, list(there.lines(parties.wanted(THERES))))
        self.ledger = Ledger(realms, sheets, here.services if len(scenes) == 2 else set(), asked)
        self._far: dict[int, int | None] = {}
        connectors: dict[str, int] = {}
        lines = self.ledger.lines
        self.starts = Side(self.ledger, [line.source for line in lines], parties.starts, connectors, cuts)
        self.ends = Side(self.ledger, [line.destination for line in lines], parties.ends, connectors, cuts)

    @cached_property
    def covered(self) -> tuple[Places, Places]:
        """The atoms of starts and ends that flows of this kind can have: where there are shares, those they show."""
        first, after = self.ledger.firsts[PASSAGE : GATE_HERE + 1]
        found = []
        for side in (self.starts, self.ends):
            every = np.arange(len(side))
            if first < after:
                shown = [side.asks(k, np.arange(first, after), every).any(axis=0) for k in range(len(self.scenes))]
                every = np.flatnonzero(np.logical_or.reduce(shown))
            found.append(every)
        return found[0], found[1]

    def lists(self, rows: Places, columns: Places, alike: bool = False) -> Lists:
        return Lists(self.ledger, self.starts, self.ends, rows, columns, alike)

    def judge(self, version: int, rules: bool = False) -> Judge | None:
        scene = self.scenes[version]
        return Judge(scene, self.ledger, version, rules) if scene else None

    def names(self, version: int, groups: Mapping[str, Group]) -> tuple[Names, Names]:
        """Of starts and ends."""
        scene = self.scenes[version]
        here = [one for one in scene.realm.members if one.sources] if scene else []
        there = [one for one in scene.there.members if one.ranges] if scene else []
        return Names(self.starts, version, here, groups), Names(self.ends, version, there, groups)

    def packet(self, version: int, row: int, column: int, columns: Places, cell: int) -> Packet:
        """One from a start to an end, or to another one of ``columns`` that is on the internet as well."""
        source, destination = self.starts.range(row), self.ends.range(column)
        known = self._known_far(version)
        if known is not None and self._beyond(self.ends, version, column) and (columns == known).any():
            destination = (SOMEWHERE, SOMEWHERE)
        if source[0] <= SOMEWHERE <= source[1]:
            source = (SOMEWHERE, SOMEWHERE)
        return Packet(pick([source]), pick([destination]), cell)

    def _known_far(self, version: int) -> int | None:
        """The end on the internet that has the address people use in examples."""
        if version not in self._far:
            place = bisect_right(self.ends.edges, SOMEWHERE) - 1
            held = np.flatnonzero((self.ends.low <= place) & (self.ends.high > place)).tolist()
            self._far[version] = next((atom for atom in held if self._beyond(self.ends, version, atom)), None)
        return self._far[version]

    def _beyond(self, side: Side, version: int, atom: int) -> bool:
        holder = int(side.holder[version][atom])
        return holder != NOBODY and side.holders[version][holder].who is None

    def outcome(self, version: int, row: int, column: int, packet: Packet) -> Outcome | None:
        """What the plain path says about one packet; None where the version has no such flow."""
        scene = self.scenes[version]
        start, end = int(self.starts.holder[version][row]), int(self.ends.holder[version][column])
        if scene is None or start == NOBODY or end == NOBODY:
            return None
        return scene.outcome(self.starts.holders[version][start], self.ends.holders[version][end], packet)


def shown(packet: Packet) -> Example:
    protocol, port = protocol_and_port(packet.cell)
    return Example(address_text(packet.source), address_text(packet.destination), protocol, port)


def _sheets(scenes: Sequence[Scene | None], policies: Policies) -> dict[int, Sheet]:
    """The lines that are no policy's."""
    stages = [scene.stages() if scene else {} for scene in scenes]
    found: dict[int, Sheet] = {}
    for stage in sorted({number for one in stages for number in one}):
        held = [one.get(stage) for one in stages]
        keys = [_keys(one, policies, k) if one else [] for k, one in enumerate(held)]
        book = next(one.book for one in held if one)
        found[stage] = Sheet(book, paired([one.lines if one else [] for one in held], aligned(keys)))
    return found


def _keys(stage: Stage, policies: Policies, version: int) -> list[Hashable]:
    """Lines through services that do something else in the other version are not the same lines there."""
    return [
        key if policies.alike(line.chain or ()) else (key, version)
        for key, line in zip(stage.keys, stage.lines, strict=True)
    ]
