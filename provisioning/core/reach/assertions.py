"""Saved intent tests: does the network still keep what someone promised?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from provisioning.core.values.l4 import l4_ranges, representative_index
from provisioning.core.intent import ANY, INTERNET, Assertion, Intent
from provisioning.core.network import Network
from provisioning.core.reach.block import Block, shown
from provisioning.core.reach.decision import Outcome
from provisioning.core.reach.labels import Example
from provisioning.core.reach.ledger import Places
from provisioning.core.reach.lists import Lists, apart
from provisioning.core.reach.query import scenes, select
from provisioning.core.reach.rectangles import rectangles
from provisioning.core.reach.scenes import Scene
from provisioning.core.reach.verdicts import delivered
from provisioning.core.realm import App, Realm
from provisioning.core.values.resource import Problem


@dataclass(frozen=True, slots=True)
class AssertionResult:
    """``example``: a packet that breaks the assertion, where there is one; ``reason``: a sentence about it."""

    uid: str
    name: str
    expect: str
    holds: bool
    example: Example | None = None
    reason: str = ""

    @property
    def sentence(self) -> str:
        """A packet that proves it does not hold, where there is one, and what lets it through: the way to the rule."""
        packet = ""
        if seen := self.example:
            port = f"/{seen.port}" if seen.port is not None else ""
            packet = f": {seen.source} → {seen.destination} {seen.protocol}{port}"
        return " ".join(filter(None, [f"“{self.name}” does not hold{packet}.", self.reason]))


Met = tuple[frozenset[str], frozenset[str]]
"""Connectors each of the first of which has flows to each of the second; the internet is one by that name."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one assertion comes to in one scene: a packet that breaks it and why, and who met whom."""

    example: Example | None = None
    reason: str = ""
    met: tuple[Met, ...] = ()


def assertions(network: Network) -> list[AssertionResult]:
    """Every assertion of the network against the model.

    One without a segment asks about all segments and all flows that shares carry between them.
    """
    asked = list(network.intent.assertions.values())
    findings: dict[str, list[_Finding]] = {assertion.uid: [] for assertion in asked}
    for scene in scenes(network) if asked else ():
        here = [
            one for one in asked if one.segment is None or (one.segment == scene.segment.uid and not scene.to_segment)
        ]
        for assertion, finding in zip(here, _findings(network, scene, here), strict=True):
            findings[assertion.uid].append(finding)
    return [_result(network.intent, assertion, findings[assertion.uid]) for assertion in asked]


def failing(network: Network, results: Sequence[AssertionResult]) -> list[Problem]:
    """Those of its assertions that do not hold, as what keeps a plan from being made."""
    asked = network.intent.assertions
    broken = (one for one in results if not one.holds)
    return [Problem("assertion_failed", f"assertions/{asked[one.uid].key}", one.sentence) for one in broken]


def _question(assertion: Assertion) -> tuple[object, ...]:
    return assertion.from_, assertion.to, assertion.protocol, assertion.ports, assertion.expect


def _findings(network: Network, scene: Scene, asked: Sequence[Assertion]) -> list[_Finding]:
    """In one scene; what an earlier version found out in the same realms is kept."""
    key = ("assertions", type(scene).__name__, scene.segment.uid, scene.there.segment.uid)
    known: dict[tuple[object, ...], _Finding] = network.keep(key, (scene.realm, scene.there), dict)
    new = [one for one in asked if _question(one) not in known]
    concerned = [one for one in new if _concerns(scene, one)]
    known.update((_question(one), _Finding()) for one in new)
    if concerned:
        block = Block([scene], asked=[l4_ranges(one.protocol, one.ports) for one in concerned])
        known.update((_question(one), _examine(block, one)) for one in concerned)
    return [known[_question(one)] for one in asked]


def _concerns(scene: Scene, assertion: Assertion) -> bool:
    starts, ends = scene.names
    return assertion.from_ in starts and assertion.to in ends


def _examine(block: Block, assertion: Assertion) -> _Finding:
    rows = select(block.starts, block.covered[0], lambda one: assertion.from_ in one.names)
    columns = select(block.ends, block.covered[1], lambda one: assertion.to in one.names)
    if not len(rows) or not len(columns):
        return _Finding()
    lists, judge = block.lists(rows, columns), block.judge(0)
    assert judge is not None
    asked = block.ledger.cells.mask(l4_ranges(assertion.protocol, assertion.ports))
    flowing = np.zeros(len(lists) + 1, bool)
    for number, (hits,) in enumerate(lists.walk()):
        flows = judge.flows(hits, asked)
        flowing[number] = bool(flows)
        verdict = judge.verdict(hits, flows)
        arrives = delivered(verdict)
        inspected = delivered({label: mask for label, mask in verdict.items() if label[1]})
        breaks = {"blocked": arrives, "reachable": flows & ~arrives, "inspected": flows & ~inspected}[assertion.expect]
        if breaks and (finding := _broken(block, lists, number, representative_index(block.ledger.cells.intervals(breaks)))):
            return finding
    return _Finding(met=tuple(_met(block, lists, flowing)) if assertion.expect != "blocked" else ())


def _broken(block: Block, lists: Lists, number: int, cell: int) -> _Finding | None:
    """None where all pairs of the list are behind one connector each."""
    for role, other in np.argwhere(lists.ids == number):
        columns = lists.columns.held(np.array([other]))
        ends = apart(block.starts, block.ends, lists.rows.held(np.array([role])), columns)
        if ends is not None:
            packet = block.packet(0, *ends, columns, cell)
            outcome = block.outcome(0, *ends, packet)
            scene = block.scenes[0]
            assert outcome is not None and scene is not None
            return _Finding(shown(packet), _reason(scene.realm, outcome))
    return None


def _reason(realm: Realm, outcome: Outcome) -> str:
    who = f"rule {outcome.rule}" if outcome.rule else "the segment's stance"
    if outcome.stopped_by and outcome.stopped_by in realm.services:
        return f"Service “{realm.services[outcome.stopped_by].name}” drops it."
    if outcome.disposition == "delivered":
        return f"It is delivered without inspection, by {who}."
    if outcome.delivered:
        return f"It is delivered, by {who}."
    return "There is no route." if outcome.disposition == "no_route" else f"It is denied by {who}."


def _met(block: Block, lists: Lists, flowing: Places) -> Iterator[Met]:
    rows, columns = np.nonzero(flowing[lists.ids])
    for _, some, ends in rectangles(np.zeros(len(rows), np.intp), rows, columns, len(lists.columns)):
        yield (
            frozenset(_connectors(block, 0, lists.rows.held(some))),
            frozenset(_connectors(block, 1, lists.columns.held(ends))),
        )


def _connectors(block: Block, which: int, atoms: Places) -> Iterator[str]:
    side = (block.starts, block.ends)[which]
    for place in np.unique(side.holder[0][atoms]).tolist():
        who = side.holders[0][place].who
        yield INTERNET if who is None else (who.target if isinstance(who, App) else who).connector.uid


def _result(intent: Intent, assertion: Assertion, findings: Sequence[_Finding]) -> AssertionResult:
    def broken(reason: str, example: Example | None = None) -> AssertionResult:
        return AssertionResult(assertion.uid, assertion.name, assertion.expect, False, example, reason)

    if assertion.segment is not None and assertion.segment not in intent.segments:
        return broken("Its segment does not exist any more.")
    for finding in findings:
        if finding.reason:
            return broken(finding.reason, finding.example)
    if assertion.expect != "blocked":
        missing = _unconnected(intent, assertion, [met for finding in findings for met in finding.met])
        if missing:
            return broken(missing)
    return AssertionResult(assertion.uid, assertion.name, assertion.expect, True)


def _unconnected(intent: Intent, assertion: Assertion, met: Sequence[Met]) -> str:
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
