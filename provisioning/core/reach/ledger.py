"""The lists of one or two versions as one: lines both have stand once, in an order that is right for either."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from provisioning.core.values.l4 import L4Ranges, l4_ranges
from provisioning.core.reach.cellmap import CellMap
from provisioning.core.reach.firewalls import Firewall, GuardKey, firewall_lines, firewalls
from provisioning.core.reach.lines import EVERYBODY, Line, paired
from provisioning.core.reach.order import aligned
from provisioning.core.realm import Realm

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

FAMILY, PASSAGE, GATE_HERE, GATE_THERE, HERE, DEFAULT, THERE, FIREWALL = range(8)
"""Stages of a list. Lines of HERE and DEFAULT are one first-match list, those of THERE another."""

EVERYBODYS, HERES, THERES, COVERED = range(-1, 3)
"""Books: whose policies say whom a line names. COVERED is no realm's: it says for whom a stance or a port is."""

ABSENT = -2
"""Stands for the policy of a line that a version does not have."""


class Sheet(NamedTuple):
    """Lines of one stage, each as the versions have it; None where one does not."""

    book: int
    lines: Sequence[tuple[Line | None, ...]]


_NOTHING = Sheet(EVERYBODYS, ())


class Ledger:
    """lines: in the order they are tried, stage by stage. firsts[stage]: where a stage begins; one more at the end.

    held[k]: which of them version k has. policies[k]: place of the line's policy in version k. masks: of their cells.
    firewalls[k]: what stops flows there, by service.
    """

    def __init__(
        self,
        realms: Sequence[Realm | None],
        sheets: dict[int, Sheet],
        changed_services: set[str],
        asked: Iterable[L4Ranges] = (),
    ) -> None:
        used = [
            {uid for one in sheets.values() for pair in one.lines if (line := pair[k]) for uid in line.chain or ()}
            for k in range(len(realms))
        ]
        listed = [
            firewall_lines(realm, uids, changed_services, k) if realm else {}
            for k, (realm, uids) in enumerate(zip(realms, used, strict=True))
        ]
        guards = aligned([list(one) for one in listed])
        inner = Sheet(EVERYBODYS, paired([list(one.values()) for one in listed], guards))
        self._read({**sheets, FIREWALL: inner}, len(realms))
        self.cells = CellMap({line.cells for line in self.lines}.union(_inner_cells(realms, used), asked))
        self.masks = [self.cells.mask(line.cells) for line in self.lines]
        self.firewalls: list[dict[str, Firewall]] = []
        for k, realm in enumerate(realms):
            keys: list[GuardKey] = list(listed[k])
            placed = {keys[pair[k]][:2]: self.firsts[FIREWALL] + n for n, pair in enumerate(guards) if pair[k] >= 0}
            self.firewalls.append(firewalls(realm, used[k], placed, self.cells.mask) if realm else {})

    def _read(self, sheets: dict[int, Sheet], versions: int) -> None:
        self.lines: list[Line] = []
        self.firsts: list[int] = []
        books: list[int] = []
        policies: list[list[int]] = [[] for _ in range(versions)]
        for stage in range(FIREWALL + 1):
            self.firsts.append(len(self.lines))
            sheet = sheets.get(stage, _NOTHING)
            for pair in sheet.lines:
                line = next(line for line in pair if line)
                self.lines.append(line)
                books.append(EVERYBODYS if line.policy == EVERYBODY else sheet.book)
                for k, held in enumerate(pair):
                    policies[k].append(held.policy if held else ABSENT)
        self.firsts.append(len(self.lines))
        self.books = np.array(books, np.intp)
        self.policies = [np.array(one, np.intp) for one in policies]
        self.held: list[Flags] = [one != ABSENT for one in self.policies]

    def changed(self) -> Places:
        """The lines that only one of two versions has; rules through changed firewalls are among them."""
        only = self.held[0] != self.held[1]
        only[self.firsts[FIREWALL] :] = False
        return np.flatnonzero(only)


def _inner_cells(realms: Sequence[Realm | None], used: Sequence[set[str]]) -> set[L4Ranges]:
    """Where firewalls cut the line of cells."""
    return {
        l4_ranges(rule.protocol, rule.ports)
        for realm, uids in zip(realms, used, strict=True)
        for uid in uids
        if realm and uid in realm.services
        for rule in realm.services[uid].firewall_rules
    }
