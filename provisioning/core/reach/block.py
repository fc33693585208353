"""One kind of flows between two sides, in one or two versions: the ledger of its lists and the atoms of both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from provisioning.core.addresses import Range, address_text
from provisioning.core.flows import Cells, example
from provisioning.core.intent import Group
from provisioning.core.nat import Packet
from provisioning.core.reach.atlas import NOBODY, Side
from provisioning.core.reach.decision import Outcome
from provisioning.core.reach.labels import Example, Names, pick, somewhere
from provisioning.core.reach.ledger import Ledger, Places
from provisioning.core.reach.lists import Lists
from provisioning.core.reach.scenes import GATE_HERE, PASSAGE, Scene
from provisioning.core.reach.verdicts import Judge


class Block:
    """``scenes``: one for each version, None where a version has no such flows.

    asked, cuts: cells and addresses that are asked about; lists and atoms are cut there too.
    """

    def __init__(
        self, scenes: Sequence[Scene | None], asked: Iterable[Cells] = (), cuts: tuple[Range, ...] = ()
    ) -> None:
        self.scenes = scenes
        self.ledger = Ledger(scenes, asked)
        connectors: dict[str, int] = {}
        lines = self.ledger.lines
        starts = [scene.starts() if scene else [] for scene in scenes]
        ends = [scene.ends() if scene else [] for scene in scenes]
        self.starts = Side(self.ledger, [line.source for line in lines], starts, connectors, cuts)
        self.ends = Side(self.ledger, [line.destination for line in lines], ends, connectors, cuts)

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
        """One from a start to an end; on the internet preferably to (or from) the address people use in examples."""
        source, destination = self.starts.range(row), self.ends.range(column)
        return Packet(
            somewhere([source]) if self._beyond(self.starts, version, row) else pick([source]),
            self._far_end(version, columns) if self._beyond(self.ends, version, column) else pick([destination]),
            cell,
        )

    def _beyond(self, side: Side, version: int, atom: int) -> bool:
        holder = int(side.holder[version][atom])
        return holder != NOBODY and side.holders[version][holder].who is None

    def _far_end(self, version: int, columns: Places) -> int:
        return somewhere([self.ends.range(atom) for atom in columns.tolist() if self._beyond(self.ends, version, atom)])

    def outcome(self, version: int, row: int, column: int, packet: Packet) -> Outcome | None:
        """What the plain path says about one packet; None where the version has no such flow."""
        scene = self.scenes[version]
        start, end = int(self.starts.holder[version][row]), int(self.ends.holder[version][column])
        if scene is None or start == NOBODY or end == NOBODY:
            return None
        return scene.outcome(self.starts.holders[version][start], self.ends.holders[version][end], packet)


def shown(packet: Packet) -> Example:
    protocol, port = example(packet.cell)
    return Example(address_text(packet.source), address_text(packet.destination), protocol, port)
