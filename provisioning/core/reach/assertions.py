"""Saved intent tests: does the network still keep what someone promised?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from provisioning.core.intent import ANY, INTERNET, Assertion, Intent
from provisioning.core.reach.compare.comparison import FlowComparison, make_example
from provisioning.core.reach.compare.endpoint_names import ExamplePacket
from provisioning.core.reach.compare.evaluator import delivered_mask
from provisioning.core.reach.compare.flow_kinds import flow_spaces
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
    """``example``: a packet that breaks the assertion, where there is one; ``reason``: a sentence about it."""

    uid: str
    name: str
    expect: str
    holds: bool
    example: ExamplePacket | None = None
    reason: str = ""

    @property
    def sentence(self) -> str:
        """A packet that proves it does not hold, where there is one, and what lets it through: the way to the rule."""
        packet = ""
        if seen := self.example:
            port = f"/{seen.port}" if seen.port is not None else ""
            packet = f": {seen.source} → {seen.destination} {seen.protocol}{port}"
        return " ".join(filter(None, [f"“{self.name}” does not hold{packet}.", self.reason]))


ConnectorPairs = tuple[frozenset[str], frozenset[str]]
"""Connectors each of the first of which has flows to each of the second; the internet is one by that name."""


@dataclass(frozen=True, slots=True)
class _AssertionFinding:
    """What one assertion comes to in one scene: a packet that breaks it and why, and who met whom."""

    example: ExamplePacket | None = None
    reason: str = ""
    met: tuple[ConnectorPairs, ...] = ()


def check_assertions(network: Network) -> list[AssertionResult]:
    """Every assertion of the network against the model.

    One without a segment asks about all segments and all flows that shares carry between them.
    """
    asked = list(network.intent.assertions.values())
    findings: dict[str, list[_AssertionFinding]] = {assertion.uid: [] for assertion in asked}
    for flow_space in flow_spaces(network) if asked else ():
        here = [
            one
            for one in asked
            if one.segment is None or (one.segment == flow_space.segment.uid and not flow_space.to_segment)
        ]
        for assertion, finding in zip(here, _evaluate_assertions(network, flow_space, here), strict=True):
            findings[assertion.uid].append(finding)
    return [_result(network.intent, assertion, findings[assertion.uid]) for assertion in asked]


def assertion_problems(network: Network, results: Sequence[AssertionResult]) -> list[Problem]:
    """Those of its assertions that do not hold, as what keeps a plan from being made."""
    asked = network.intent.assertions
    broken = (one for one in results if not one.holds)
    return [Problem("assertion_failed", f"assertions/{asked[one.uid].key}", one.sentence) for one in broken]


def _assertion_key(assertion: Assertion) -> tuple[object, ...]:
    return assertion.from_, assertion.to, assertion.protocol, assertion.ports, assertion.expect


_FINDING = DerivedKey[_AssertionFinding]("finding of an assertion, by flow space")


def _evaluate_assertions(
    network: Network, flow_space: FlowSpace, assertions: Sequence[Assertion]
) -> list[_AssertionFinding]:
    """In one flow space; what an earlier version found about the same segments is taken over."""
    by_uid = {assertion.uid: assertion for assertion in assertions}

    @cache
    def comparison() -> FlowComparison:
        """One for all that have to be evaluated, most often none; cut at what each of them asks about."""
        concerned = (one for one in assertions if _is_concerned(flow_space, one))
        return FlowComparison([flow_space], asked=[l4_ranges(one.protocol, one.ports) for one in concerned])

    def evaluate(uid: str) -> _AssertionFinding:
        assertion = by_uid[uid]
        if not _is_concerned(flow_space, assertion):
            return _AssertionFinding()
        return _evaluate_assertion(comparison(), assertion)

    return network.derived.get_each(
        _FINDING,
        {uid: _assertion_key(assertion) for uid, assertion in by_uid.items()},
        evaluate,
        shared=(flow_space.source_segment, flow_space.destination_segment),
        of=(type(flow_space).__name__, flow_space.segment.uid, flow_space.destination_segment.segment.uid),
    )


def _is_concerned(flow_space: FlowSpace, assertion: Assertion) -> bool:
    starts, ends = flow_space.names
    return assertion.from_ in starts and assertion.to in ends


def _evaluate_assertion(comparison: FlowComparison, assertion: Assertion) -> _AssertionFinding:
    rows = select_atoms(comparison.sources, comparison.covered[0], lambda one: assertion.from_ in one.names)
    columns = select_atoms(comparison.destinations, comparison.covered[1], lambda one: assertion.to in one.names)
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
        inspected = delivered_mask({label: mask for label, mask in verdict.items() if label[1]})
        breaks = {"blocked": arrives, "reachable": flows & ~arrives, "inspected": flows & ~inspected}[assertion.expect]
        if breaks and (
            finding := _find_counterexample(
                comparison, lists, number, representative_index(comparison.rule_table.l4_bitmap.intervals(breaks))
            )
        ):
            return finding
    return _AssertionFinding(
        met=tuple(_connector_pairs(comparison, lists, flowing)) if assertion.expect != "blocked" else ()
    )


def _find_counterexample(
    comparison: FlowComparison, lists: RuleLists, number: int, l4: int
) -> _AssertionFinding | None:
    """None where all pairs of the list are behind one connector each."""
    for role, other in np.argwhere(lists.ids == number):
        columns = lists.columns.atoms_of(np.array([other]))
        ends = find_non_local_pair(
            comparison.sources, comparison.destinations, lists.rows.atoms_of(np.array([role])), columns
        )
        if ends is not None:
            packet = comparison.packet(0, *ends, columns, l4)
            outcome = comparison.outcome(0, *ends, packet)
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
    for place in np.unique(side.endpoint[0][atoms]).tolist():
        who = side.endpoints[0][place].owner
        yield INTERNET if who is None else (who.target if isinstance(who, PublishedApp) else who).connector.uid


def _result(intent: Intent, assertion: Assertion, findings: Sequence[_AssertionFinding]) -> AssertionResult:
    def broken(reason: str, example: ExamplePacket | None = None) -> AssertionResult:
        return AssertionResult(assertion.uid, assertion.name, assertion.expect, False, example, reason)

    if assertion.segment is not None and assertion.segment not in intent.segments:
        return broken("Its segment does not exist any more.")
    for finding in findings:
        if finding.reason:
            return broken(finding.reason, finding.example)
    if assertion.expect != "blocked":
        missing = _explain_unconnected(intent, assertion, [met for finding in findings for met in finding.met])
        if missing:
            return broken(missing)
    return AssertionResult(assertion.uid, assertion.name, assertion.expect, True)


def _explain_unconnected(intent: Intent, assertion: Assertion, met: Sequence[ConnectorPairs]) -> str:
    """A sentence when something on one side cannot meet something on the other at all; empty otherwise."""
    starts, ends = _members(intent, assertion.from_), _members(intent, assertion.to)
    if not starts or not ends:
        side = assertion.from_ if not starts else assertion.to
        return f"“{intent.label(side)}” has no members."
    # Those who are in the same sets meet the same others.
    known: dict[frozenset[int], list[str]] = {}
    for end in sorted(ends):
        known.setdefault(frozenset(n for n, one in enumerate(met) if end in one[1]), []).append(end)
    for start in sorted(starts):
        mine = {n for n, one in enumerate(met) if start in one[0]}
        for sets, alike in known.items():
            other = next((one for one in alike if one != start), None)
            if other is not None and mine.isdisjoint(sets):
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
        if wanted in (ANY, connector.uid, attachment.group)
    }
