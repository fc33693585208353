"""The endpoints on either side of a comparison, and which policies can matter between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from provisioning.core.reach.compare.flow_space import FlowEndpoint, FlowSpace, PolicyMasks, policy_masks
from provisioning.core.reach.compare.rule_table import DESTINATION_POLICIES, SOURCE_POLICIES

VersionPolicyMasks = list[PolicyMasks]
"""[version]: the policies that name any of some endpoints."""


class CandidateEndpoints:
    """sources, destinations: the endpoints of each version."""

    def __init__(self, flow_spaces: Sequence[FlowSpace | None]) -> None:
        self.sources = [flow_space.sources if flow_space else [] for flow_space in flow_spaces]
        self.destinations = [flow_space.destinations if flow_space else [] for flow_space in flow_spaces]
        masks = [flow_space.policy_masks if flow_space else ((0, 0), (0, 0)) for flow_space in flow_spaces]
        self._masks: tuple[VersionPolicyMasks, VersionPolicyMasks] = (
            [source_masks for source_masks, _ in masks],
            [destination_masks for _, destination_masks in masks],
        )
        self._changed_masks = self._masks

    def keep_changed(self, touched: Sequence[list[int]], everything: bool) -> None:
        """Leave out what cannot differ between two versions.

        touched[policy index][version]: policies (as bits) that the other version does not have so. everything: whether
        rules that are no policy's differ too; then nothing is left out.
        """
        if everything:
            return
        sides = (self.sources, self.destinations)
        named = [_named_by_changed_policies(side, touched) for side in sides]
        new = [_changed_endpoints(side) for side in sides]
        changed = [
            [
                [endpoint for endpoint in endpoints if endpoint.naming_key in names or endpoint[:4] in fresh]
                for endpoints in side
            ]
            for side, names, fresh in zip(sides, named, new, strict=True)
        ]
        self._changed_masks = (
            [policy_masks(endpoints) for endpoints in changed[0]],
            [policy_masks(endpoints) for endpoints in changed[1]],
        )
        if not new[0] and not new[1]:
            # No endpoint came, went or moved: only those that changed policies name can have another fate.
            self.sources, self.destinations = changed
            self._masks = self._changed_masks

    def policy_filter(self, policy_index: int) -> Callable[[int, int], bool]:
        """Return a test: does a policy (by version and index) name, on both sides, endpoints whose fate may change?"""
        (sources, destinations), (changed_sources, changed_destinations) = self._masks, self._changed_masks
        masks = [
            (sources[k][policy_index] & changed_destinations[k][policy_index])
            | (changed_sources[k][policy_index] & destinations[k][policy_index])
            for k in range(len(self.sources))
        ]
        return lambda version, index: bool(masks[version] >> index & 1)


def _named_by_changed_policies(side: Sequence[Sequence[FlowEndpoint]], touched: Sequence[list[int]]) -> set[object]:
    """Return the naming keys of the endpoints that changed policies name in any version."""
    return {
        endpoint.naming_key
        for k, endpoints in enumerate(side)
        for endpoint in endpoints
        if endpoint.policy_masks[SOURCE_POLICIES] & touched[SOURCE_POLICIES][k]
        or endpoint.policy_masks[DESTINATION_POLICIES] & touched[DESTINATION_POLICIES][k]
    }


def _changed_endpoints(side: Sequence[Sequence[FlowEndpoint]]) -> set[object]:
    """Return the endpoints that one version does not have, or not with the same addresses or names."""
    if len(side[0]) == len(side[1]) and all(old[:4] == new[:4] for old, new in zip(*side, strict=True)):
        return set()
    before, after = ({endpoint[:4] for endpoint in endpoints} for endpoints in side)
    return before ^ after
