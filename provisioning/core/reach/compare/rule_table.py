"""The rule lists of one or two versions as one table: a rule that both have stands in it once.

Its order is right for either version, so a list of matching rules is a list of rising indexes in both.
"""

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
from provisioning.core.values.headers import HeaderMatch

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
"""The stages of a list. SOURCE_POLICY_STAGE and DEFAULT_ACTION_STAGE together are one first-match list, and
DESTINATION_POLICY_STAGE is another."""

ALL_ENDPOINTS, SOURCE_POLICIES, DESTINATION_POLICIES, TAGGED_ENDPOINTS = range(-1, 3)
"""Policy indexes: which of an endpoint's policy masks says whether a rule names it. With TAGGED_ENDPOINTS the bits are
tags: of the default action, of a connector's pre-policy rules, or of an application."""

ABSENT_RULE = -2
"""Stands for the policy of a rule that a version does not have."""


class StageRules(NamedTuple):
    """The rules of one stage, each as the versions have it; None where a version does not."""

    policy_index: int
    rules: Sequence[tuple[MatchRule | None, ...]]


_NO_RULES = StageRules(ALL_ENDPOINTS, ())


class RuleTable:
    """rules: in the order they are tried, stage by stage. stage_starts[stage]: index of a stage's first rule, and one
    more at the end.

    is_present[k]: which rules version k has. policies[k]: index of the rule's policy (or its tag) in version k.
    policy_indexes: which mask of an endpoint that is about. l4_masks: headers that each rule matches, as bits
    of ``l4_bitmap``. firewalls[k]: what drops flows in version k, by service.
    """

    def __init__(
        self,
        resolved_segments: Sequence[ResolvedSegment | None],
        rules_by_stage: dict[int, StageRules],
        changed_services: set[str],
        asked: Iterable[HeaderMatch] = (),
    ) -> None:
        services = [
            {
                uid
                for stage_rules in rules_by_stage.values()
                for pair in stage_rules.rules
                if (rule := pair[k])
                for uid in rule.chain or ()
            }
            for k in range(len(resolved_segments))
        ]
        inner_rules = [
            firewall_match_rules(resolved, uids, changed_services, k) if resolved else {}
            for k, (resolved, uids) in enumerate(zip(resolved_segments, services, strict=True))
        ]
        aligned = align([list(by_key) for by_key in inner_rules])
        firewall_stage = StageRules(
            ALL_ENDPOINTS, pair_rules([list(by_key.values()) for by_key in inner_rules], aligned)
        )
        self._add_rules({**rules_by_stage, FIREWALL_STAGE: firewall_stage}, len(resolved_segments))
        self.l4_bitmap = L4Bitmap(
            {rule.headers for rule in self.rules}.union(_firewall_headers(resolved_segments, services), asked)
        )
        self.l4_masks = [self.l4_bitmap.mask(rule.headers) for rule in self.rules]
        self.firewalls: list[dict[str, FirewallFilter]] = []
        for k, resolved in enumerate(resolved_segments):
            keys: list[FirewallRuleKey] = list(inner_rules[k])
            indexes = {
                keys[pair[k]][:2]: self.stage_starts[FIREWALL_STAGE] + n
                for n, pair in enumerate(aligned)
                if pair[k] >= 0
            }
            self.firewalls.append(
                firewall_filters(resolved, services[k], indexes, self.l4_bitmap.mask) if resolved else {}
            )

    def _add_rules(self, rules_by_stage: dict[int, StageRules], versions: int) -> None:
        self.rules: list[MatchRule] = []
        self.stage_starts: list[int] = []
        policy_indexes: list[int] = []
        policies: list[list[int]] = [[] for _ in range(versions)]
        for stage in range(FIREWALL_STAGE + 1):
            self.stage_starts.append(len(self.rules))
            stage_rules = rules_by_stage.get(stage, _NO_RULES)
            for pair in stage_rules.rules:
                present = next(rule for rule in pair if rule)
                self.rules.append(present)
                policy_indexes.append(ALL_ENDPOINTS if present.policy == NO_POLICY else stage_rules.policy_index)
                for k, rule in enumerate(pair):
                    policies[k].append(rule.policy if rule else ABSENT_RULE)
        self.stage_starts.append(len(self.rules))
        self.policy_indexes = np.array(policy_indexes, np.intp)
        self.policies = [np.array(version, np.intp) for version in policies]
        self.is_present: list[BoolArray] = [version != ABSENT_RULE for version in self.policies]

    def changed(self) -> IndexArray:
        """Return the rules that only one of two versions has; rules through changed firewalls are among them."""
        only = self.is_present[0] != self.is_present[1]
        only[self.stage_starts[FIREWALL_STAGE] :] = False
        return np.flatnonzero(only)


def _firewall_headers(
    resolved_segments: Sequence[ResolvedSegment | None], services: Sequence[set[str]]
) -> set[HeaderMatch]:
    """Return the headers that firewall rules are about."""
    return {
        resolved.prefixes.headers(rule)
        for resolved, uids in zip(resolved_segments, services, strict=True)
        for uid in uids
        if resolved and uid in resolved.services
        for rule in resolved.services[uid].firewall_rules
    }
