"""The lists of one or two versions as one: lines both have stand once, in an order that is right for either."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from provisioning.core.reach.compare.alignment import align
from provisioning.core.reach.compare.firewalls import (
    FirewallFilter,
    FirewallRuleKey,
    firewall_filters,
    firewall_match_rules,
)
from provisioning.core.reach.compare.l4_bitmap import L4Bitmap
from provisioning.core.reach.compare.match_rules import NO_POLICY, MatchRule, pair_rules
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.l4 import L4Ranges, l4_ranges

BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]

(
    FAMILY_STAGE,
    SHARE_STAGE,
    SOURCE_PRE_POLICY_STAGE,
    DESTINATION_PRE_POLICY_STAGE,
    SOURCE_POLICY_STAGE,
    DEFAULT_ACTION_STAGE,
    DESTINATION_POLICY_STAGE,
    FIREWALL_STAGE,
) = range(8)
"""Stages of a list. Lines of HERE and DEFAULT are one first-match list, those of THERE another."""

ALL_ENDPOINTS, SOURCE_POLICIES, DESTINATION_POLICIES, TAGGED_ENDPOINTS = range(-1, 3)
"""Books: whose policies say whom a line names. TAGGED_ENDPOINTS: for whom a default action or a port is."""

ABSENT_RULE = -2
"""Stands for the policy of a line that a version does not have."""


class StageRules(NamedTuple):
    """Lines of one stage, each as the versions have it; None where one does not."""

    policy_index: int
    rules: Sequence[tuple[MatchRule | None, ...]]


_NO_RULES = StageRules(ALL_ENDPOINTS, ())


class RuleTable:
    """lines: in the order they are tried, stage by stage. firsts[stage]: where a stage begins; one more at the end.

    held[k]: which of them version k has. policies[k]: place of the line's policy in version k. masks: of their cells.
    firewalls[k]: what stops flows there, by service.
    """

    def __init__(
        self,
        resolved_segments: Sequence[ResolvedSegment | None],
        rules_by_stage: dict[int, StageRules],
        changed_services: set[str],
        asked: Iterable[L4Ranges] = (),
    ) -> None:
        used = [
            {
                uid
                for one in rules_by_stage.values()
                for pair in one.rules
                if (line := pair[k])
                for uid in line.chain or ()
            }
            for k in range(len(resolved_segments))
        ]
        listed = [
            firewall_match_rules(resolved, uids, changed_services, k) if resolved else {}
            for k, (resolved, uids) in enumerate(zip(resolved_segments, used, strict=True))
        ]
        guards = align([list(one) for one in listed])
        inner = StageRules(ALL_ENDPOINTS, pair_rules([list(one.values()) for one in listed], guards))
        self._read({**rules_by_stage, FIREWALL_STAGE: inner}, len(resolved_segments))
        self.l4_bitmap = L4Bitmap(
            {line.l4_ranges for line in self.rules}.union(_firewall_l4_ranges(resolved_segments, used), asked)
        )
        self.l4_masks = [self.l4_bitmap.mask(line.l4_ranges) for line in self.rules]
        self.firewalls: list[dict[str, FirewallFilter]] = []
        for k, resolved in enumerate(resolved_segments):
            keys: list[FirewallRuleKey] = list(listed[k])
            placed = {
                keys[pair[k]][:2]: self.stage_starts[FIREWALL_STAGE] + n
                for n, pair in enumerate(guards)
                if pair[k] >= 0
            }
            self.firewalls.append(firewall_filters(resolved, used[k], placed, self.l4_bitmap.mask) if resolved else {})

    def _read(self, rules_by_stage: dict[int, StageRules], versions: int) -> None:
        self.rules: list[MatchRule] = []
        self.stage_starts: list[int] = []
        policy_indexes: list[int] = []
        policies: list[list[int]] = [[] for _ in range(versions)]
        for stage in range(FIREWALL_STAGE + 1):
            self.stage_starts.append(len(self.rules))
            stage_rules = rules_by_stage.get(stage, _NO_RULES)
            for pair in stage_rules.rules:
                line = next(line for line in pair if line)
                self.rules.append(line)
                policy_indexes.append(ALL_ENDPOINTS if line.policy == NO_POLICY else stage_rules.policy_index)
                for k, held in enumerate(pair):
                    policies[k].append(held.policy if held else ABSENT_RULE)
        self.stage_starts.append(len(self.rules))
        self.policy_indexes = np.array(policy_indexes, np.intp)
        self.policies = [np.array(one, np.intp) for one in policies]
        self.is_present: list[BoolArray] = [one != ABSENT_RULE for one in self.policies]

    def changed(self) -> IndexArray:
        """The lines that only one of two versions has; rules through changed firewalls are among them."""
        only = self.is_present[0] != self.is_present[1]
        only[self.stage_starts[FIREWALL_STAGE] :] = False
        return np.flatnonzero(only)


def _firewall_l4_ranges(resolved_segments: Sequence[ResolvedSegment | None], used: Sequence[set[str]]) -> set[L4Ranges]:
    """Where firewalls cut the line of cells."""
    return {
        l4_ranges(rule.protocol, rule.ports)
        for resolved, uids in zip(resolved_segments, used, strict=True)
        for uid in uids
        if resolved and uid in resolved.services
        for rule in resolved.services[uid].firewall_rules
    }
