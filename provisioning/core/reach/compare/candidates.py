"""Who is on either side of a block, and which policies can matter between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from provisioning.core.reach.compare.flow_space import FlowEndpoint, FlowSpace, PolicyMasks, policy_masks
from provisioning.core.reach.compare.rule_table import DESTINATION_POLICIES, SOURCE_POLICIES

VersionPolicyMasks = list[PolicyMasks]
"""[version]: the policies that name any of some holders."""


class CandidateEndpoints:
    """starts, ends: the holders of each version."""

    def __init__(self, flow_spaces: Sequence[FlowSpace | None]) -> None:
        self.sources = [flow_space.sources if flow_space else [] for flow_space in flow_spaces]
        self.destinations = [flow_space.destinations if flow_space else [] for flow_space in flow_spaces]
        named = [flow_space.policy_masks if flow_space else ((0, 0), (0, 0)) for flow_space in flow_spaces]
        self._named: tuple[VersionPolicyMasks, VersionPolicyMasks] = (
            [starts for starts, _ in named],
            [ends for _, ends in named],
        )
        self._moved = self._named

    def keep_changed(self, touched: Sequence[list[int]], everything: bool) -> None:
        """Leave out what two versions cannot differ about.

        touched[book][k]: policies of version k that the other one does not have so. everything: other lines differ too.
        """
        if everything:
            return
        sides = (self.sources, self.destinations)
        named = [_named_by_changed_policies(side, touched) for side in sides]
        new = [_changed_endpoints(side) for side in sides]
        moved = [
            [[one for one in held if one.naming_key in names or one[:4] in fresh] for held in side]
            for side, names, fresh in zip(sides, named, new, strict=True)
        ]
        self._moved = ([policy_masks(held) for held in moved[0]], [policy_masks(held) for held in moved[1]])
        if not new[0] and not new[1]:
            # Nobody came, went or moved: only who is named by what changed can have another fate.
            self.sources, self.destinations = moved
            self._named = self._moved

    def policy_filter(self, policy_index: int) -> Callable[[int, int], bool]:
        """Whether a policy (by version and place) names anybody on both sides who could have another fate."""
        (starts, ends), (some, others) = self._named, self._moved
        bits = [
            (starts[k][policy_index] & others[k][policy_index]) | (some[k][policy_index] & ends[k][policy_index])
            for k in range(len(self.sources))
        ]
        return lambda version, place: bool(bits[version] >> place & 1)


def _named_by_changed_policies(side: Sequence[Sequence[FlowEndpoint]], touched: Sequence[list[int]]) -> set[object]:
    """How the holders are called whom touched policies name in any version."""
    return {
        one.naming_key
        for k, held in enumerate(side)
        for one in held
        if one.policy_masks[SOURCE_POLICIES] & touched[SOURCE_POLICIES][k]
        or one.policy_masks[DESTINATION_POLICIES] & touched[DESTINATION_POLICIES][k]
    }


def _changed_endpoints(side: Sequence[Sequence[FlowEndpoint]]) -> set[object]:
    """Holders that one version does not have, or not with the same addresses or names."""
    if len(side[0]) == len(side[1]) and all(one[:4] == other[:4] for one, other in zip(*side, strict=True)):
        return set()
    one, other = ({endpoint[:4] for endpoint in held} for held in side)
    return one ^ other
