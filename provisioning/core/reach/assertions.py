"""Saved intent tests: does the network still keep what someone promised?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provisioning.core.flows import cells
from provisioning.core.intent import ANY, INTERNET, Assertion, Intent
from provisioning.core.network import Network
from provisioning.core.reach.atlas import BEYOND, AddressClass, Atlas
from provisioning.core.reach.book import CellMap
from provisioning.core.reach.decision import Outcome
from provisioning.core.reach.labels import Example, packet_between
from provisioning.core.reach.query import restricted


@dataclass(frozen=True, slots=True)
class AssertionResult:
    """``example``: a packet that breaks the assertion, where there is one; ``reason``: a sentence about it."""

    uid: str
    name: str
    expect: str
    holds: bool
    example: Example | None = None
    reason: str = ""


def assertions(network: Network) -> list[AssertionResult]:
    """Every assertion of the network against the model."""
    atlases: dict[str, Atlas] = {}
    return [_examine(network, assertion, atlases) for assertion in network.intent.assertions.values()]


def _examine(network: Network, assertion: Assertion, atlases: dict[str, Atlas]) -> AssertionResult:
    def broken(reason: str, example: Example | None = None) -> AssertionResult:
        return AssertionResult(assertion.uid, assertion.name, assertion.expect, False, example, reason)

    intent = network.intent
    seen: set[tuple[str, str]] = set()
    segments = [assertion.segment] if assertion.segment else list(intent.segments)
    for uid in segments:
        if uid not in intent.segments:
            return broken("Its segment does not exist any more.")
        # Atlases of all segments are kept: assertions are many, segments few.
        if uid not in atlases:
            atlases[uid] = Atlas([network.realm(uid)])
        atlas = atlases[uid]
        for start, end in _pairs(atlas, assertion):
            seen |= {(one, other) for one in start.connectors for other in end.connectors or {INTERNET}}
            for cell, outcome in _cells(atlas, assertion, start, end):
                if _breaks(assertion.expect, outcome):
                    return broken(_reason(intent, outcome), packet_between(0, start, end, cell))
    if assertion.expect != "blocked" and (missing := _unconnected(intent, assertion, seen)):
        return broken(missing)
    return AssertionResult(assertion.uid, assertion.name, assertion.expect, True)


def _pairs(atlas: Atlas, assertion: Assertion) -> Iterator[tuple[AddressClass, AddressClass]]:
    starts = list(_side(atlas, assertion.from_))
    ends = list(_side(atlas, assertion.to))
    for start in starts:
        for end in ends:
            # Flows start at members: from the internet nothing comes in without an internet application.
            if start.views[0].whose != BEYOND and atlas.real(start, end):
                yield start, end


def _side(atlas: Atlas, wanted: str) -> Iterator[AddressClass]:
    realm = atlas.realms[0]
    assert realm is not None
    if wanted == INTERNET:
        yield from (one for one in atlas.classes if one.views[0].whose == BEYOND)
        return
    named = {
        member.id
        for member in realm.members
        if wanted == ANY or wanted in (member.connector.uid, member.attachment.group)
    }
    yield from (part for one in atlas.classes if (part := restricted(one, named)))


def _cells(atlas: Atlas, assertion: Assertion, start: AddressClass, end: AddressClass) -> Iterator[tuple[int, Outcome]]:
    """The first asked cell of every outcome that asked flows have."""
    asked = cells(assertion.protocol, assertion.ports)
    for mask, outcome in atlas.verdicts(0, start, end):
        common = _first_common(atlas.cells, mask, asked)
        if common is not None:
            yield common, outcome


def _first_common(cell_map: CellMap, mask: int, asked: tuple[tuple[int, int], ...]) -> int | None:
    # The map is cut by rules only; an assertion's ports may lie inside one of its stretches.
    for low, high in cell_map.intervals(mask):
        for first, last in asked:
            if max(low, first) <= min(high, last):
                return max(low, first)
    return None


def _breaks(expect: str, outcome: Outcome) -> bool:
    if expect == "blocked":
        return outcome.delivered
    return outcome.disposition != "delivered_inspected" if expect == "inspected" else not outcome.delivered


def _reason(intent: Intent, outcome: Outcome) -> str:
    who = f"rule {outcome.rule}" if outcome.rule else "the segment's stance"
    if outcome.stopped_by and outcome.stopped_by in intent.services:
        return f"Service “{intent.services[outcome.stopped_by].name}” drops it."
    if outcome.disposition == "delivered":
        return f"It is delivered without inspection, by {who}."
    if outcome.delivered:
        return f"It is delivered, by {who}."
    return f"It is denied by {who}."


def _unconnected(intent: Intent, assertion: Assertion, seen: set[tuple[str, str]]) -> str:
    """A sentence when something on one side cannot meet something on the other at all; empty otherwise."""
    starts, ends = _connectors(intent, assertion.from_), _connectors(intent, assertion.to)
    if not starts or not ends:
        side = assertion.from_ if not starts else assertion.to
        return f"“{intent.label(side)}” has no members."
    for start in sorted(starts):
        for end in sorted(ends):
            if start != end and (start, end) not in seen:
                return f"“{intent.label(start)}” and “{intent.label(end)}” have no segment in common, or no route."
    return ""


def _connectors(intent: Intent, wanted: str) -> set[str]:
    if wanted == INTERNET:
        return {INTERNET}
    return {
        connector.uid
        for connector in intent.connectors.values()
        if connector.enabled and connector.kind != "internet-exit"
        for attachment in connector.attachments
        if wanted in (ANY, connector.uid, attachment.group)
    }
