"""What becomes of the flows that match a list of rules, for all protocols and ports at once.

A list is the rising indexes (``hits``) of the rules of a table that match both ends of a flow.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from provisioning.core.reach.compare.flow_kinds import InterSegment, IntraSegment
from provisioning.core.reach.compare.flow_space import FlowSpace
from provisioning.core.reach.compare.match_rules import MatchRule
from provisioning.core.reach.compare.rule_table import (
    DESTINATION_POLICY_STAGE,
    DESTINATION_PRE_POLICY_STAGE,
    FIREWALL_STAGE,
    SHARE_STAGE,
    SOURCE_PRE_POLICY_STAGE,
    RuleTable,
)
from provisioning.core.reach.trace.decision import available_chain

ServiceChain = tuple[str, ...]
VerdictKey = tuple[str | None, ServiceChain]
"""id of the rule that decides (None where rules are not asked for), and uids of the services that flows pass."""

Verdict = dict[VerdictKey, int]
"""Disjoint L4 masks of what is delivered."""


class Evaluator:
    """Evaluates lists of one version. rules: whether flows that different rules allow are kept apart."""

    def __init__(self, flow_space: FlowSpace, rule_table: RuleTable, version: int, rules: bool = False) -> None:
        self.rule_table, self.firewalls = rule_table, rule_table.firewalls[version]
        self._resolved = flow_space.source_segment
        self._shared, self._needs_share_or_app = (
            isinstance(flow_space, InterSegment),
            not isinstance(flow_space, IntraSegment),
        )
        self._stage_starts = rule_table.stage_starts
        self._labels = [_verdict_key(rule, rules) for rule in rule_table.rules]
        self._passes = [rule.chain is not None for rule in rule_table.rules]
        self._tiers = [rule.tier for rule in rule_table.rules]
        self._leaves_to_next_tier = [rule.is_pass for rule in rule_table.rules]
        self._available_chains: dict[ServiceChain, ServiceChain | None] = {}

    def existing_mask(self, hits: list[int], asked: int) -> int:
        """Return the part of ``asked`` that exists as flows: nothing where an end has no endpoint, or no share carries
        it."""
        if not hits or hits[0] >= self._stage_starts[SHARE_STAGE]:
            return 0
        asked &= self.rule_table.l4_masks[hits[0]]
        if not self._needs_share_or_app:
            return asked
        carrier = self._share_or_app_rule(hits)
        return asked & self.rule_table.l4_masks[carrier] if carrier is not None else 0

    def _share_or_app_rule(self, hits: list[int]) -> int | None:
        """Return the rule of the share that carries these flows, or of the application's port."""
        at = bisect_left(hits, self._stage_starts[SHARE_STAGE])
        return hits[at] if at < len(hits) and hits[at] < self._stage_starts[SOURCE_PRE_POLICY_STAGE] else None

    def evaluate(self, hits: list[int], asked: int) -> Verdict:
        """Return what is delivered of the protocols and ports in ``asked``."""
        left = self.existing_mask(hits, asked)
        if not left:
            return {}
        starts = self._stage_starts
        carrier = self._share_or_app_rule(hits) if self._needs_share_or_app else None
        at = bisect_left(hits, starts[SOURCE_PRE_POLICY_STAGE])
        for stage in (SOURCE_PRE_POLICY_STAGE, DESTINATION_PRE_POLICY_STAGE):
            if starts[stage] < starts[stage + 1]:
                after = bisect_left(hits, starts[stage + 1], at)
                left &= ~self._filtered_mask(hits[at:after], left)
                at = after
        if self._shared and carrier is not None:
            return self._apply_services(self._combine_segments(hits, at, left, self._labels[carrier]), hits)
        return self._apply_services(self._first_match(hits, at, starts[DESTINATION_POLICY_STAGE], left)[0], hits)

    def _filtered_mask(self, pre_policy_rules: Iterable[int], asked: int) -> int:
        """Return the part that pre-policy rules leave without a route; the first one that matches decides."""
        left, filtered = asked, 0
        for index in pre_policy_rules:
            part = self.rule_table.l4_masks[index] & left
            left ^= part
            if not self._passes[index]:
                filtered |= part
        return filtered

    def _first_match(self, hits: list[int], begin: int, end: int, left: int) -> tuple[Verdict, int, int]:
        """Return what is let through by which rule, the part that no rule matches, and where in ``hits`` the next
        first-match list begins. end: index of the first rule beyond this one."""
        masks, labels, passes = self.rule_table.l4_masks, self._labels, self._passes
        tiers, leaves = self._tiers, self._leaves_to_next_tier
        verdict: Verdict = {}
        tier, left_in_tier = "", left
        for at in range(begin, len(hits)):
            index = hits[at]
            if index >= end:
                return verdict, left, at
            if tiers[index] != tier:
                tier, left_in_tier = tiers[index], left
            part = masks[index] & left_in_tier
            if part:
                left_in_tier ^= part
                if leaves[index]:
                    continue
                left ^= part
                if passes[index]:
                    label = labels[index]
                    verdict[label] = verdict.get(label, 0) | part
                if not left:
                    break
        return verdict, left, bisect_left(hits, end)

    def _combine_segments(self, hits: list[int], at: int, asked: int, share: VerdictKey) -> Verdict:
        """Through a share: both segments' rules are tried, a deny in either denies, the share lets the rest pass (the
        stage of the default action says so), but to the internet."""
        source, source_rest, at = self._first_match(hits, at, self._stage_starts[DESTINATION_POLICY_STAGE], asked)
        destination, destination_rest, _ = self._first_match(hits, at, self._stage_starts[FIREWALL_STAGE], asked)
        verdict: Verdict = {}
        no_rule: VerdictKey = (None, ())
        no_rules = ((no_rule, source_rest), (no_rule, destination_rest))
        for nth, ((rule, chain), mask) in enumerate((*source.items(), no_rules[0])):
            rest = no_rules[1:] if nth < len(source) else ()
            for (other_rule, other_chain), other_mask in (*destination.items(), *rest):
                if both := mask & other_mask:
                    whole_chain = tuple(dict.fromkeys((*chain, *share[1], *other_chain)))
                    label = (rule or other_rule or share[0], whole_chain)
                    verdict[label] = verdict.get(label, 0) | both
        return verdict

    def _apply_services(self, verdict: Verdict, hits: Sequence[int]) -> Verdict:
        """Return the verdict without what services drop; chains become the services that are passed."""
        if not any(chain for _, chain in verdict):
            return verdict
        passed: Verdict = {}
        firewall_hits = hits[bisect_left(hits, self._stage_starts[FIREWALL_STAGE]) :]
        for (rule, chain), mask in verdict.items():
            available = self._available_chain(chain)
            if available is None:
                continue
            for uid in available:
                if uid in self.firewalls:
                    mask &= ~self.firewalls[uid].stopped(firewall_hits, mask)
            if mask:
                passed[rule, available] = passed.get((rule, available), 0) | mask
        return passed

    def _available_chain(self, chain: ServiceChain) -> ServiceChain | None:
        """The services that have instances; None where a missing one stops the flow."""
        if chain not in self._available_chains:
            available, missing = available_chain(self._resolved.exchanges, self._resolved.services, chain)
            self._available_chains[chain] = None if missing else available
        return self._available_chains[chain]


def _verdict_key(rule: MatchRule, rules: bool) -> VerdictKey:
    return rule.title if rules else None, rule.chain or ()


def delivered_mask(verdict: Verdict) -> int:
    """Return the L4 mask of all that is delivered."""
    mask = 0
    for part in verdict.values():
        mask |= part
    return mask


FlowDifference = tuple[str, ServiceChain, int]
"""``allowed``, ``blocked`` or ``inspected``; the services passed afterwards; the L4 mask."""


def compare_verdicts(before: Verdict, after: Verdict) -> tuple[FlowDifference, ...]:
    """Return how the verdicts of two versions on the same flows differ."""
    if before == after:
        return ()
    delivered_before, delivered_after = delivered_mask(before), delivered_mask(after)
    differences: list[FlowDifference] = []
    for label, mask in after.items():
        if new := mask & ~delivered_before:
            differences.append(("allowed", label[1], new))
        if rerouted := mask & delivered_before & ~before.get(label, 0):
            differences.append(("inspected", label[1], rerouted))
    if lost := delivered_before & ~delivered_after:
        differences.append(("blocked", (), lost))
    return tuple(differences)
