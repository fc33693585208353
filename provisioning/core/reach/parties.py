"""Who is on either side of a block, and which policies can matter between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from provisioning.core.reach.ledger import HERES, THERES
from provisioning.core.reach.scenes import Bits, Holder, Scene, named_by

Named = list[Bits]
"""[version]: the policies that name any of some holders."""


class Parties:
    """starts, ends: the holders of each version."""

    def __init__(self, scenes: Sequence[Scene | None]) -> None:
        self.starts = [scene.starts if scene else [] for scene in scenes]
        self.ends = [scene.ends if scene else [] for scene in scenes]
        named = [scene.bits if scene else ((0, 0), (0, 0)) for scene in scenes]
        self._named: tuple[Named, Named] = ([starts for starts, _ in named], [ends for _, ends in named])
        self._moved = self._named

    def narrow(self, touched: Sequence[list[int]], everything: bool) -> None:
        """Leave out what two versions cannot differ about.

        touched[book][k]: policies of version k that the other one does not have so. everything: other lines differ too.
        """
        if everything:
            return
        sides = (self.starts, self.ends)
        named = [_touched(side, touched) for side in sides]
        new = [_new(side) for side in sides]
        moved = [
            [[one for one in held if one.named in names or one[:4] in fresh] for held in side]
            for side, names, fresh in zip(sides, named, new, strict=True)
        ]
        self._moved = ([named_by(held) for held in moved[0]], [named_by(held) for held in moved[1]])
        if not new[0] and not new[1]:
            # Nobody came, went or moved: only who is named by what changed can have another fate.
            self.starts, self.ends = moved
            self._named = self._moved

    def wanted(self, book: int) -> Callable[[int, int], bool]:
        """Whether a policy (by version and place) names anybody on both sides who could have another fate."""
        (starts, ends), (some, others) = self._named, self._moved
        bits = [(starts[k][book] & others[k][book]) | (some[k][book] & ends[k][book]) for k in range(len(self.starts))]
        return lambda version, place: bool(bits[version] >> place & 1)


def _touched(side: Sequence[Sequence[Holder]], touched: Sequence[list[int]]) -> set[object]:
    """How the holders are called whom touched policies name in any version."""
    return {
        one.named
        for k, held in enumerate(side)
        for one in held
        if one.bits[HERES] & touched[HERES][k] or one.bits[THERES] & touched[THERES][k]
    }


def _new(side: Sequence[Sequence[Holder]]) -> set[object]:
    """Holders that one version does not have, or not with the same addresses or names."""
    if len(side[0]) == len(side[1]) and all(one[:4] == other[:4] for one, other in zip(*side, strict=True)):
        return set()
    one, other = ({holder[:4] for holder in held} for held in side)
    return one ^ other
