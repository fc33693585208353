"""Assertions: saved tests of intent, checked against the model of the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from provisioning.core.intent import ANY, INTERNET, Assertion, Intent
from provisioning.core.reach.compare.comparison import FlowComparison, make_example
from provisioning.core.reach.compare.endpoint_names import ExamplePacket
from provisioning.core.reach.compare.evaluator import delivered_mask
from provisioning.core.reach.compare.flow_kinds import Hairpin, flow_spaces
from provisioning.core.reach.compare.flow_space import FlowSpace
from provisioning.core.reach.compare.rectangles import rectangles
from provisioning.core.reach.compare.rule_lists import RuleLists, find_non_local_pair
from provisioning.core.reach.compare.rule_table import IndexArray
from provisioning.core.reach.query import select_atoms
from provisioning.core.reach.trace.decision import FlowOutcome
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import PublishedApp, ResolvedSegment
from provisioning.core.values.l4 import l4_ranges, representative_index
from provisioning.core.values.resource import Problem


@dataclass(frozen=True, slots=True)
class AssertionResult:
    """example: a packet that breaks the assertion, where there is one; reason: a sentence about it."""

    uid: str
    name: str
    expect: str
    holds: bool
    example: ExamplePacket | None = None
    reason: str = ""

    @property
    def sentence(self) -> str:
        """That it does not hold, with a packet that proves it, where there is one, and the rule that decides."""
        packet = ""
        if example := self.example:
            port = f"/{example.port}" if example.port is not None else ""
            packet = f": {example.source} → {example.destination} {example.protocol}{port}"
        return " ".join(filter(None, [f"“{self.name}” does not hold{packet}.", self.reason]))


ConnectorPairs = tuple[frozenset[str], frozenset[str]]
"""Connectors (uids): each of the first has flows to each of the second. The internet counts as one by that name."""


@dataclass(frozen=True, slots=True)
class _AssertionFinding:
    """What an assertion comes to in one flow space: a packet that breaks it and why, and who has flows to whom."""

    example: ExamplePacket | None = None
    reason: str = ""
    connected: tuple[ConnectorPairs, ...] = ()


def check_assertions(network: Network) -> list[AssertionResult]:
    """Check every assertion of the network against the model.

    One without a segment is about all segments and all flows that shares carry between them.
    """
    assertions = list(network.intent.assertions.values())
    findings: dict[str, list[_AssertionFinding]] = {assertion.uid: [] for assertion in assertions}
    for flow_space in flow_spaces(network) if assertions else ():
        own_segment = None if flow_space.to_segment else flow_space.segment.uid
        relevant = [assertion for assertion in assertions if assertion.segment in (None, own_segment)]
        for assertion, finding in zip(relevant, _evaluate_assertions(network, flow_space, relevant), strict=True):
            findings[assertion.uid].append(finding)
    return [_result(network.intent, assertion, findings[assertion.uid]) for assertion in assertions]


def assertion_problems(network: Network, results: Sequence[AssertionResult]) -> list[Problem]:
    """Return the assertions that do not hold as problems, which keep a plan from being made."""
    assertions = network.intent.assertions
    return [
        Problem("assertion_failed", f"assertions/{assertions[result.uid].key}", result.sentence)
        for result in results
        if not result.holds
    ]


def _assertion_key(assertion: Assertion) -> tuple[object, ...]:
    return assertion.from_, assertion.to, assertion.protocol, assertion.ports, assertion.expect


_FINDING = DerivedKey[_AssertionFinding]("finding of an assertion, by flow space")


def _evaluate_assertions(
    network: Network, flow_space: FlowSpace, assertions: Sequence[Assertion]
) -> list[_AssertionFinding]:
    """Return what each assertion comes to in a flow space; an unchanged one keeps its earlier findings."""
    by_uid = {assertion.uid: assertion for assertion in assertions}

    @cache
    def comparison() -> FlowComparison:
        """Return one comparison for all assertions that need it, cut at the protocols and ports they ask about."""
        concerned = [assertion for assertion in assertions if _is_concerned(flow_space, assertion)]
        ranges = [l4_ranges(assertion.protocol, assertion.ports) for assertion in concerned]
        is_about_internet = any(INTERNET in (assertion.from_, assertion.to) for assertion in concerned)
        return FlowComparison(
            [flow_space], asked=ranges, cuts=flow_space.default_route_cuts if is_about_internet else ()
        )

    def evaluate(uid: str) -> _AssertionFinding:
        assertion = by_uid[uid]
        if not _is_concerned(flow_space, assertion):
            return _AssertionFinding()
        return _evaluate_assertion(comparison(), flow_space, assertion)

    return network.derived.get_each(
        _FINDING,
        {uid: _assertion_key(assertion) for uid, assertion in by_uid.items()},
        evaluate,
        shared=(flow_space.source_segment, flow_space.destination_segment),
        of=(type(flow_space).__name__, flow_space.segment.uid, flow_space.destination_segment.segment.uid),
    )


def _is_concerned(flow_space: FlowSpace, assertion: Assertion) -> bool:
    sources, destinations = flow_space.names
    return assertion.from_ in sources and assertion.to in destinations


def _evaluate_assertion(comparison: FlowComparison, flow_space: FlowSpace, assertion: Assertion) -> _AssertionFinding:
    rows, columns = (
        select_atoms(side, covered, partial(flow_space.ranges_named, name=name))
        for side, covered, name in (
            (comparison.sources, comparison.covered[0], assertion.from_),
            (comparison.destinations, comparison.covered[1], assertion.to),
        )
    )
    if not len(rows) or not len(columns):
        return _AssertionFinding()
    lists, evaluator = comparison.lists(rows, columns), comparison.evaluator(0)
    assert evaluator is not None
    asked = comparison.rule_table.l4_bitmap.mask(l4_ranges(assertion.protocol, assertion.ports))
    flowing = np.zeros(len(lists) + 1, bool)
    for number, (hits,) in enumerate(lists.iter_rules()):
        flows = evaluator.existing_mask(hits, asked)
        flowing[number] = bool(flows)
        verdict = evaluator.evaluate(hits, flows)
        arrives = delivered_mask(verdict)
        if isinstance(flow_space, Hairpin):
            # Another way to the same target: it may break what has to be blocked or inspected; nobody has to have it.
            flows = arrives
            flowing[number] = bool(flows)
        inspected = delivered_mask({label: mask for label, mask in verdict.items() if label[1]})
        breaks = {"blocked": arrives, "reachable": flows & ~arrives, "inspected": flows & ~inspected}[assertion.expect]
        if breaks and (
            finding := _find_counterexample(
                comparison, lists, number, representative_index(comparison.rule_table.l4_bitmap.intervals(breaks))
            )
        ):
            return finding
    if assertion.expect == "blocked":
        return _AssertionFinding()
    pairs = [*_connector_pairs(comparison, lists, flowing)]
    if INTERNET in (assertion.from_, assertion.to):
        # Who has the internet behind itself reaches it without an exchange.
        local = {*_connector_uids(comparison, 0, rows)} & {*_connector_uids(comparison, 1, columns)}
        pairs = [
            (_internet_or(assertion.from_, starts), _internet_or(assertion.to, ends))
            for starts, ends in (*pairs, *((frozenset((uid,)), frozenset((uid,))) for uid in local))
        ]
    return _AssertionFinding(connected=tuple(pairs))


def _internet_or(name: str, connectors: frozenset[str]) -> frozenset[str]:
    """Return the internet where a side of an assertion is about it, whoever has it behind itself."""
    return frozenset((INTERNET,)) if name == INTERNET else connectors


def _find_counterexample(
    comparison: FlowComparison, lists: RuleLists, number: int, l4: int
) -> _AssertionFinding | None:
    """Return None where all pairs of the list are behind one connector each."""
    for source_class, destination_class in np.argwhere(lists.ids == number):
        rows = lists.rows.atoms_of(np.array([source_class]))
        columns = lists.columns.atoms_of(np.array([destination_class]))
        pair = find_non_local_pair(comparison.sources, comparison.destinations, rows, columns)
        if pair is not None:
            packet = comparison.packet(0, *pair, columns, l4)
            outcome = comparison.outcome(0, *pair, packet)
            flow_space = comparison.flow_spaces[0]
            assert outcome is not None and flow_space is not None
            return _AssertionFinding(make_example(packet), _explain_outcome(flow_space.source_segment, outcome))
    return None


def _explain_outcome(resolved: ResolvedSegment, outcome: FlowOutcome) -> str:
    who = f"rule {outcome.rule}" if outcome.rule else "the segment's default action"
    if outcome.stopped_by and outcome.stopped_by in resolved.services:
        return f"Service “{resolved.services[outcome.stopped_by].name}” drops it."
    if outcome.disposition == "delivered":
        return f"It is delivered without inspection, by {who}."
    if outcome.delivered:
        return f"It is delivered, by {who}."
    return "There is no route." if outcome.disposition == "no_route" else f"It is denied by {who}."


def _connector_pairs(comparison: FlowComparison, lists: RuleLists, flowing: IndexArray) -> Iterator[ConnectorPairs]:
    rows, columns = np.nonzero(flowing[lists.ids])
    for _, some, ends in rectangles(np.zeros(len(rows), np.intp), rows, columns, len(lists.columns)):
        yield (
            frozenset(_connector_uids(comparison, 0, lists.rows.atoms_of(some))),
            frozenset(_connector_uids(comparison, 1, lists.columns.atoms_of(ends))),
        )


def _connector_uids(comparison: FlowComparison, which: int, atoms: IndexArray) -> Iterator[str]:
    side = (comparison.sources, comparison.destinations)[which]
    for index in np.unique(side.endpoint[0][atoms]).tolist():
        owner = side.endpoints[0][index].owner
        yield INTERNET if owner is None else (owner.target if isinstance(owner, PublishedApp) else owner).connector.uid


def _result(intent: Intent, assertion: Assertion, findings: Sequence[_AssertionFinding]) -> AssertionResult:
    def broken(reason: str, example: ExamplePacket | None = None) -> AssertionResult:
        return AssertionResult(assertion.uid, assertion.name, assertion.expect, False, example, reason)

    if assertion.segment is not None and assertion.segment not in intent.segments:
        return broken("Its segment does not exist any more.")
    for finding in findings:
        if finding.reason:
            return broken(finding.reason, finding.example)
    if assertion.expect != "blocked":
        missing = _explain_unconnected(
            intent, assertion, [pairs for finding in findings for pairs in finding.connected]
        )
        if missing:
            return broken(missing)
    return AssertionResult(assertion.uid, assertion.name, assertion.expect, True)


def _explain_unconnected(intent: Intent, assertion: Assertion, connected: Sequence[ConnectorPairs]) -> str:
    """Return a sentence when a connector on one side has no flows at all to one on the other; empty otherwise."""
    starts, ends = _members(intent, assertion.from_), _members(intent, assertion.to)
    if not starts or not ends:
        side = assertion.from_ if not starts else assertion.to
        return f"“{intent.label(side)}” has no members."
    # Connectors that are in the same sets have flows to the same others.
    by_sets: dict[frozenset[int], list[str]] = {}
    for end in sorted(ends):
        by_sets.setdefault(frozenset(n for n, pair in enumerate(connected) if end in pair[1]), []).append(end)
    for start in sorted(starts):
        own_sets = {n for n, pair in enumerate(connected) if start in pair[0]}
        for sets, alike in by_sets.items():
            other = next((uid for uid in alike if uid != start), None)
            if other is not None and own_sets.isdisjoint(sets):
                return f"“{intent.label(start)}” and “{intent.label(other)}” have no segment in common, or no route."
    return ""


def _members(intent: Intent, wanted: str) -> set[str]:
    if wanted == INTERNET:
        return {INTERNET}
    return {
        connector.uid
        for connector in intent.connectors.values()
        if connector.enabled and connector.kind != "internet-exit"
        for attachment in connector.attachments
        if wanted in (ANY, connector.uid, *attachment.member_of)
    }
