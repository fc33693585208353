"""Assertions: saved tests of intent, checked against the model of the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial, reduce
from operator import or_

import numpy as np

from provisioning.core.intent import INTERNET
from provisioning.core.reach.compare.atoms import AddressAtoms
from provisioning.core.reach.compare.comparison import FlowComparison, make_example
from provisioning.core.reach.compare.endpoint_names import ExamplePacket
from provisioning.core.reach.compare.evaluator import delivered_mask
from provisioning.core.reach.compare.flow_kinds import Hairpin, flow_spaces
from provisioning.core.reach.compare.flow_space import FlowSpace
from provisioning.core.reach.compare.rectangles import rectangles
from provisioning.core.reach.compare.rule_lists import RuleLists, find_non_local_pair
from provisioning.core.reach.compare.rule_table import BoolArray, IndexArray
from provisioning.core.reach.flow_ends import AssertedFlows, FlowEndFilter
from provisioning.core.reach.query import select_atoms
from provisioning.core.reach.trace.decision import FlowOutcome
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import PublishedApp, ResolvedSegment
from provisioning.core.values.headers import Headers
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


def check_assertions(network: Network, today: date) -> list[AssertionResult]:
    """Check every assertion of the network against the model, with the exceptions that hold on a day.

    One without a segment is about all segments and all flows that shares carry between them.
    """
    asked = [AssertedFlows(assertion, today, network.prefixes) for assertion in network.intent.assertions.values()]
    findings: dict[str, list[_AssertionFinding]] = {flows.assertion.uid: [] for flows in asked}
    for flow_space in flow_spaces(network) if asked else ():
        own_segment = None if flow_space.to_segment else flow_space.segment.uid
        relevant = [flows for flows in asked if flows.assertion.segment in (None, own_segment)]
        for flows, finding in zip(relevant, _evaluate_assertions(network, flow_space, relevant), strict=True):
            findings[flows.assertion.uid].append(finding)
    return [_result(network, flows, findings[flows.assertion.uid]) for flows in asked]


def assertion_problems(network: Network, results: Sequence[AssertionResult]) -> list[Problem]:
    """Return the assertions that do not hold as problems, which keep a plan from being made."""
    assertions = network.intent.assertions
    return [
        Problem("assertion_failed", f"assertions/{assertions[result.uid].key}", result.sentence)
        for result in results
        if not result.holds
    ]


_FINDING = DerivedKey[_AssertionFinding]("finding of an assertion, by flow space")


def _evaluate_assertions(
    network: Network, flow_space: FlowSpace, asked: Sequence[AssertedFlows]
) -> list[_AssertionFinding]:
    """Return what each assertion comes to in a flow space; an unchanged one keeps its earlier findings."""
    by_uid = {flows.assertion.uid: flows for flows in asked}

    @cache
    def comparison() -> FlowComparison:
        """Return one comparison for all assertions that need it, cut at the flows they ask about and excuse."""
        concerned = [flows for flows in asked if flows.is_in(flow_space)]
        headers = [match for flows in concerned for match in (flows.headers, *(each.headers for each in flows.excused))]
        cuts = tuple(dict.fromkeys(pair for flows in concerned for pair in flows.cuts(flow_space)))
        return FlowComparison([flow_space], asked=headers, cuts=cuts)

    def evaluate(uid: str) -> _AssertionFinding:
        flows = by_uid[uid]
        if not flows.is_in(flow_space):
            return _AssertionFinding()
        is_application = flows.assertion.to in network.intent.internet_apps
        return _evaluate_assertion(comparison(), flow_space, flows, is_application)

    return network.derived.get_each(
        _FINDING,
        {uid: flows.key for uid, flows in by_uid.items()},
        evaluate,
        shared=(flow_space.source_segment, flow_space.destination_segment),
        of=(type(flow_space).__name__, flow_space.segment.uid, flow_space.destination_segment.segment.uid),
    )


def _evaluate_assertion(
    comparison: FlowComparison, flow_space: FlowSpace, flows: AssertedFlows, is_application: bool
) -> _AssertionFinding:
    """is_application: the assertion is about an application, and not about what is behind it."""
    rows, columns = (
        select_atoms(side, covered, partial(end.ranges_of, flow_space))
        for side, covered, end in (
            (comparison.sources, comparison.covered[0], flows.start),
            (comparison.destinations, comparison.covered[1], flows.end),
        )
    )
    # Another way to the same target: it may break what has to be blocked or inspected; nobody has to have it.
    is_optional = isinstance(flow_space, Hairpin) and not is_application
    pairs: list[ConnectorPairs] = []
    for some, ends, excused in _parts(comparison, flow_space, flows, rows, columns):
        finding = _evaluate_part(comparison, flows, some, ends, excused, is_optional)
        if finding.reason:
            return finding
        pairs += finding.connected
    if INTERNET in (flows.start.text, flows.end.text) and flows.assertion.expect != "blocked":
        # Who has the internet behind itself reaches it without an exchange.
        local = {*_connector_uids(comparison, 0, rows)} & {*_connector_uids(comparison, 1, columns)}
        pairs = [
            (_internet_or(flows.start.text, starts), _internet_or(flows.end.text, ends))
            for starts, ends in (*pairs, *((frozenset((uid,)), frozenset((uid,))) for uid in local))
        ]
    return _AssertionFinding(connected=tuple(pairs))


def _parts(
    comparison: FlowComparison, flow_space: FlowSpace, flows: AssertedFlows, rows: IndexArray, columns: IndexArray
) -> Iterator[tuple[IndexArray, IndexArray, int]]:
    """Yield the atoms of both sides in parts, each with the protocols and ports that exceptions excuse there."""
    if not len(rows) or not len(columns):
        return
    if not flows.excused:
        yield rows, columns, 0
        return
    starts = _marks(comparison.sources, rows, flow_space, [each.start for each in flows.excused])
    ends = _marks(comparison.destinations, columns, flow_space, [each.end for each in flows.excused])
    masks = [comparison.rule_table.l4_bitmap.mask(each.headers) for each in flows.excused]
    kinds_of_columns, kind_of_column = np.unique(ends, axis=1, return_inverse=True)
    kinds_of_rows, kind_of_row = np.unique(starts, axis=1, return_inverse=True)
    for number, marked in enumerate(kinds_of_rows.T):
        by_mask: dict[int, list[int]] = {}
        for kind, also in enumerate(kinds_of_columns.T):
            hit = np.flatnonzero(marked & also).tolist()
            by_mask.setdefault(reduce(or_, (masks[index] for index in hit), 0), []).append(kind)
        for excused, kinds in by_mask.items():
            yield rows[kind_of_row == number], columns[np.isin(kind_of_column, kinds)], excused


def _marks(
    side: AddressAtoms, atoms: IndexArray, flow_space: FlowSpace, ends: Sequence[FlowEndFilter | None]
) -> BoolArray:
    """Return [exception, atom]: whether the end of an exception means an atom; None means all."""
    return np.array(
        [
            np.isin(atoms, select_atoms(side, atoms, partial(end.ranges_of, flow_space)))
            if end
            else np.ones(len(atoms), bool)
            for end in ends
        ]
    )


def _evaluate_part(
    comparison: FlowComparison,
    asked: AssertedFlows,
    rows: IndexArray,
    columns: IndexArray,
    excused: int,
    is_optional: bool,
) -> _AssertionFinding:
    """is_optional: nobody has to have these flows."""
    lists, evaluator, l4_bitmap = (
        comparison.lists(rows, columns),
        comparison.evaluator(0),
        comparison.rule_table.l4_bitmap,
    )
    assert evaluator is not None
    expect, mask = asked.assertion.expect, l4_bitmap.mask(asked.headers)
    flowing = np.zeros(len(lists) + 1, bool)
    for number, (hits,) in enumerate(lists.iter_rules()):
        flows = evaluator.existing_mask(hits, mask)
        verdict = evaluator.evaluate(hits, flows)
        arrives = delivered_mask(verdict)
        if is_optional:
            flows = arrives
        flowing[number] = bool(flows)
        inspected = delivered_mask({label: some for label, some in verdict.items() if label[1]})
        breaks = {"blocked": arrives, "reachable": flows & ~arrives, "inspected": flows & ~inspected}[expect] & ~excused
        if breaks and (finding := _find_counterexample(comparison, lists, number, l4_bitmap.example(breaks))):
            return finding
    pairs = () if expect == "blocked" else tuple(_connector_pairs(comparison, lists, flowing))
    return _AssertionFinding(connected=pairs)


def _internet_or(name: str, connectors: frozenset[str]) -> frozenset[str]:
    """Return the internet where a side of an assertion is about it, whoever has it behind itself."""
    return frozenset((INTERNET,)) if name == INTERNET else connectors


def _find_counterexample(
    comparison: FlowComparison, lists: RuleLists, number: int, headers: Headers
) -> _AssertionFinding | None:
    """Return None where all pairs of the list are behind one connector each."""
    for source_class, destination_class in np.argwhere(lists.ids == number):
        rows = lists.rows.atoms_of(np.array([source_class]))
        columns = lists.columns.atoms_of(np.array([destination_class]))
        pair = find_non_local_pair(comparison.sources, comparison.destinations, rows, columns)
        if pair is not None:
            packet = comparison.packet(0, *pair, columns, headers)
            outcome = comparison.outcome(0, *pair, packet)
            flow_space = comparison.flow_spaces[0]
            assert outcome is not None and flow_space is not None
            return _AssertionFinding(make_example(packet), _explain_outcome(flow_space.source_segment, outcome))
    return None


def _explain_outcome(resolved: ResolvedSegment, outcome: FlowOutcome) -> str:
    who = outcome.decided_by or "the segment's default action"
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


def _result(network: Network, flows: AssertedFlows, findings: Sequence[_AssertionFinding]) -> AssertionResult:
    assertion = flows.assertion

    def broken(reason: str, example: ExamplePacket | None = None) -> AssertionResult:
        return AssertionResult(assertion.uid, assertion.name, assertion.expect, False, example, reason)

    if assertion.segment is not None and assertion.segment not in network.intent.segments:
        return broken("Its segment does not exist any more.")
    for finding in findings:
        if finding.reason:
            return broken(finding.reason, finding.example)
    if assertion.expect != "blocked":
        connected = [pairs for finding in findings for pairs in finding.connected]
        if missing := _explain_unconnected(network, flows, connected):
            return broken(missing)
    return AssertionResult(assertion.uid, assertion.name, assertion.expect, True)


def _explain_unconnected(network: Network, flows: AssertedFlows, connected: Sequence[ConnectorPairs]) -> str:
    """Return a sentence when a connector on one side has no flows at all to one on the other; empty otherwise.

    Two between which all that is asked is excused need not have any.
    """
    intent = network.intent
    segment = flows.assertion.segment
    starts, ends = flows.start.members(network, segment), flows.end.members(network, segment)
    if not starts or not ends:
        return f"“{intent.label((flows.end if starts else flows.start).text)}” has no members."
    excused = [
        (
            each.start.members(network, segment) if each.start else starts,
            each.end.members(network, segment) if each.end else ends,
        )
        for each in flows.excused
        if each.headers.covers(flows.headers)
    ]
    connected = [*connected, *((frozenset(some), frozenset(others)) for some, others in excused)]
    both = (connector for uid in starts & ends if (connector := intent.connectors.get(uid)))
    separate = {connector.uid for connector in both if connector.has_clients}
    # Connectors that are in the same sets have flows to the same others.
    by_sets: dict[frozenset[int], list[str]] = {}
    for end in sorted(ends):
        by_sets.setdefault(frozenset(n for n, pair in enumerate(connected) if end in pair[1]), []).append(end)
    for start in sorted(starts):
        own_sets = {n for n, pair in enumerate(connected) if start in pair[0]}
        for sets, alike in by_sets.items():
            other = next((uid for uid in alike if uid != start or uid in separate), None)
            if other is not None and own_sets.isdisjoint(sets):
                return f"“{intent.label(start)}” and “{intent.label(other)}” have no segment in common, or no route."
    return ""
