"""The policies of a segment as lists of nft rules that end in outcomes: its own flows, and flows through shares.

Every test is on the connection's original tuple, so a decision can be made again for any packet in any direction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from provisioning.agent import ranges
from provisioning.agent.parsed_segment import ParsedSegment, hashed_name
from provisioning.agent.render_decision import MATCH_VERDICT, DecisionChains
from provisioning.core.values.counter_key import CounterKey


@dataclass(frozen=True)
class SegmentRuleSet:
    """The rules of one segment, and the addresses behind the names they use."""

    segment: str
    rules: Sequence[Mapping[str, Any]]
    sets: Mapping[str, Sequence[str]]

    @cached_property
    def _parsed_sets(self) -> Mapping[str, ranges.AddressRanges]:
        return {name: ranges.parse_union(texts) for name, texts in self.sets.items()}

    def spans(self, names: Iterable[str]) -> ranges.AddressRanges:
        found = [self._parsed_sets[name] for name in names if name in self._parsed_sets]
        return found[0] if len(found) == 1 else ranges.merge(span for spans in found for span in spans)


@dataclass(frozen=True)
class SegmentPair:
    """Flows between this segment and another, begun on one side: whose policies are tried first and second."""

    name: str
    first: SegmentRuleSet
    second: SegmentRuleSet


@dataclass(frozen=True)
class _OverlappingSource:
    """A source that is known by its number and not by its address."""

    number: int
    names: frozenset[str]


ServiceKeys = tuple[str, ...]


def add_policy_chains(segment: ParsedSegment, decision: DecisionChains, overlapping_sources: Mapping[str, int]) -> None:
    """Writes the chain ``rules`` and all it leads to into the decision."""
    _PolicyRenderer(segment, decision).write(
        {overlapping_sources[name]: names for name, names in segment.overlapping_sources.items()}
    )


class _PolicyRenderer:
    def __init__(self, segment: ParsedSegment, decision: DecisionChains) -> None:
        self.segment, self.decision = segment, decision
        self.own = SegmentRuleSet(segment.name, segment.body["rules"], segment.body["sets"])
        self.apps = {app["id"]: app for app in segment.body.get("apps", ())}

    def write(self, overlapping_sources: Mapping[int, frozenset[str]]) -> None:
        lines = [f"ct label {number} goto rules_{number}" for number in sorted(overlapping_sources)]
        self.decision.rule_chains["rules"] = (*lines, *self._all_rules(None))
        for number, names in overlapping_sources.items():
            self.decision.rule_chains[f"rules_{number}"] = tuple(self._all_rules(_OverlappingSource(number, names)))

    def _all_rules(self, overlapping_source: _OverlappingSource | None) -> Iterator[str]:
        """Everything that may begin at one speaker, or at anybody who is known by the address."""
        decision = self.decision
        deny = decision.outcome_chain(None, False)
        yield from self._peer_segment_rules(overlapping_source)
        if self.segment.peer_ranges:
            yield from self._pair_rules(None, self.segment.peer_ranges, f"goto {deny}")
            if not overlapping_source:
                yield from self._pair_rules(self.segment.peer_ranges, None, f"goto {deny}")
        for rule in self.own.rules:
            matches = self._matches(self.own, rule, overlapping_source, is_between_segments=False)
            yield from self._rule_lines(self.own, rule, matches, decision.outcome(rule))
        if self.segment.body["stance"] == "open":
            yield from self._pair_rules(
                None if overlapping_source else self.segment.own,
                self.segment.own,
                f"goto {decision.outcome_chain((), False)}",
            )
        denied = CounterKey(f"stance/{self.segment.name}", verdict="denied")
        yield f"counter name {decision.packet_counter(denied)}"
        yield f"goto {deny}"

    # -- shares ------------------------------------------------------------------------------------------------------

    def _peer_segment_rules(self, overlapping_source: _OverlappingSource | None) -> Iterator[str]:
        """What goes to or comes from guests of another segment belongs to the chain of that pair and direction."""
        foreign = self.segment.body.get("foreign", {})
        for name, number in sorted({(guest["segment"], guest["number"]) for guest in self.segment.imported_members}):
            imported_members = ranges.parse_union(
                r for guest in self.segment.imported_members if guest["segment"] == name for r in guest["ranges"]
            )
            theirs = foreign.get(name, {"rules": (), "sets": {}})
            other = SegmentRuleSet(name, theirs["rules"], theirs["sets"])
            out = SegmentPair(f"out_{number}", self.own, other)
            yield from self._pair_rules(
                None if overlapping_source else self.segment.own,
                imported_members,
                f"goto {self._shares_chain(out, overlapping_source)}",
            )
            if not overlapping_source:
                into = SegmentPair(f"in_{number}", other, self.own)
                yield from self._pair_rules(
                    imported_members, self.segment.own, f"goto {self._shares_chain(into, overlapping_source)}"
                )

    def _shares_chain(self, pair: SegmentPair, overlapping_source: _OverlappingSource | None) -> str:
        """The first passage that holds both ends and may be begun from here; none: the segments are isolated."""
        chain = f"{pair.name}{_chain_suffix(overlapping_source)}"
        lines: list[str] = []
        for passage in self.segment.body.get("passages", ()):
            sides = {passage[side]["segment"]: side for side in ("a", "b")}
            if sides.keys() != {pair.first.segment, pair.second.segment}:
                continue
            near = sides[pair.first.segment]
            if near not in passage["initiate"]:
                continue
            far = sides[pair.second.segment]
            services = self.decision.available_services(passage["chain"])
            then = (
                self.decision.outcome_chain(None, False)
                if services is None
                else self._initiator_chain(pair, services, overlapping_source)
            )
            spans = [ranges.parse_union(passage[side]["ranges"]) for side in (near, far)]
            lines += self._pair_rules(spans[0], spans[1], f"goto {then}")
        self.decision.rule_chains[chain] = (*lines, f"goto {self.decision.outcome_chain(None, False)}")
        return chain

    def _initiator_chain(
        self, pair: SegmentPair, services: ServiceKeys, overlapping_source: _OverlappingSource | None
    ) -> str:
        """The policies of the segment where the flow begins; then those of the other are tried."""
        chain = f"{pair.name}{_chain_suffix(overlapping_source)}_{hashed_name('first', ','.join(services))}"
        if chain not in self.decision.rule_chains:
            self.decision.rule_chains[chain] = ()
            lines: list[str] = []
            for rule in pair.first.rules:
                if not (matches := list(self._matches(pair.first, rule, overlapping_source, is_between_segments=True))):
                    continue
                found = self.decision.services_of(rule)
                later = _is_for_new_flows(rule)
                if rule["action"] == "watch":
                    outcome = None
                elif found is None:
                    outcome = self.decision.outcome_chain(None, later)
                else:
                    outcome = self._responder_chain(pair, _join_chains(found, services), later, overlapping_source)
                lines += self._rule_lines(pair.first, rule, matches, outcome)
            self.decision.rule_chains[chain] = (
                *lines,
                f"goto {self._responder_chain(pair, services, None, overlapping_source)}",
            )
        return chain

    def _responder_chain(
        self,
        pair: SegmentPair,
        so_far: ServiceKeys,
        decided_later: bool | None,
        overlapping_source: _OverlappingSource | None,
    ) -> str:
        """``decided_later``: whether the rule of the first segment is for new flows only; None when none matched."""
        chain = f"{pair.name}{_chain_suffix(overlapping_source)}_{hashed_name('then', f'{so_far} {decided_later}')}"
        if chain not in self.decision.rule_chains:
            self.decision.rule_chains[chain] = ()
            lines: list[str] = []
            for rule in pair.second.rules:
                if not (
                    matches := list(self._matches(pair.second, rule, overlapping_source, is_between_segments=True))
                ):
                    continue
                found = self.decision.services_of(rule)
                if rule["action"] == "watch":
                    outcome = None
                elif found is None:
                    outcome = self.decision.outcome_chain(None, _is_for_new_flows(rule))
                else:
                    later = _is_for_new_flows(rule) and decided_later is not False
                    outcome = self.decision.outcome_chain(_join_chains(so_far, found), later)
                lines += self._rule_lines(pair.second, rule, matches, outcome)
            last = self.decision.outcome_chain(so_far, bool(decided_later))
            self.decision.rule_chains[chain] = (*lines, f"goto {last}")
        return chain

    # -- one rule ------------------------------------------------------------------------------------------------------

    def _rule_lines(
        self, policies: SegmentRuleSet, rule: Mapping[str, Any], matches: Iterable[str], outcome: str | None
    ) -> Iterator[str]:
        """Counts the flow once, when it is new; an outcome ends the search, a watching rule does not."""
        counter = self.decision.packet_counter(CounterKey(f"rule/{policies.segment}/{rule['id']}", quantity="hits"))
        for match in matches:
            if outcome is None:
                yield f"{MATCH_VERDICT} 0 {match} counter name {counter}"
            else:
                yield f"{match} goto {self.decision.hit_counter_chain(counter, outcome)}"

    def _matches(
        self,
        policies: SegmentRuleSet,
        rule: Mapping[str, Any],
        overlapping_source: _OverlappingSource | None,
        is_between_segments: bool,
    ) -> Iterator[str]:
        """The nft expressions of a rule: groups to groups, groups to the internet, the internet to applications."""
        protocol = _protocol_match(rule)
        for family in self.segment.families:
            sources = list(self._source_matches(policies, rule, overlapping_source, family))
            destinations = list(self._group_match(policies, rule["to"], rule.get("destination"), family, "daddr"))
            if not is_between_segments and family is ranges.IPV4 and "internet" in rule["to"]:
                destinations.append(self._internet_match(rule.get("destination"), "daddr"))
            for source in sources:
                for destination in destinations:
                    yield " ".join(filter(None, (source, destination, protocol)))
        if not is_between_segments and not overlapping_source and "internet" in rule["from"]:
            for name in rule["to"]:
                if name in self.apps and (to_app := self._application_match(self.apps[name], rule)):
                    yield f"{self._internet_match(rule.get('source'), 'saddr')} {to_app}".strip()

    def _source_matches(
        self,
        policies: SegmentRuleSet,
        rule: Mapping[str, Any],
        overlapping_source: _OverlappingSource | None,
        family: ranges.AddressFamily,
    ) -> Iterator[str]:
        if not overlapping_source:
            yield from self._group_match(policies, rule["from"], rule.get("source"), family, "saddr")
        elif not overlapping_source.names.isdisjoint(rule["from"]):
            if rule.get("source") is None:
                yield ""
            elif spans := family.select(ranges.parse_union(rule["source"])):
                yield self._set_match(spans, "saddr", family)

    def _group_match(
        self,
        policies: SegmentRuleSet,
        names: Sequence[str],
        narrowed: list[str] | None,
        family: ranges.AddressFamily,
        which: str,
    ) -> Iterator[str]:
        spans = policies.spans(name for name in names if name != "internet" and name not in self.apps)
        if narrowed is not None:
            spans = ranges.intersect(spans, ranges.parse_union(narrowed))
        if here := family.select(spans):
            yield self._set_match(here, which, family)

    def _internet_match(self, narrowed: list[str] | None, which: str) -> str:
        outside = f"ct original ip {which} != @{self.decision.inside}"
        if narrowed is None:
            return outside
        return f"{outside} {self._set_match(ranges.IPV4.select(ranges.parse_union(narrowed)), which, ranges.IPV4)}"

    def _application_match(self, app: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
        """The public side of an application, "" when the rule leaves it out."""
        protocol, port = str(rule.get("protocol") or "any"), int(app["port"])
        spans = [tuple(map(int, (str(text).split("-") * 2)[:2])) for text in rule.get("ports") or ()]
        public = ranges.parse_range(app["public"])
        allowed = rule.get("destination") is None or ranges.intersect(
            (public,), ranges.parse_union(rule["destination"])
        )
        if protocol not in ("any", app["protocol"]) or not allowed:
            return ""
        if protocol != "any" and spans and not any(low <= port <= high for low, high in spans):
            return ""
        return f"ct original ip daddr {app['public']} meta l4proto {app['protocol']} ct original proto-dst {port}"

    def _pair_rules(
        self, source: ranges.AddressRanges | None, destination: ranges.AddressRanges | None, then: str
    ) -> list[str]:
        """Rules for flows between two sets of addresses; None is everybody."""
        lines = []
        for family in self.segment.families:
            sides = [(source, "saddr"), (destination, "daddr")]
            here = [(family.select(spans), which) for spans, which in sides if spans is not None]
            if all(spans for spans, _ in here):
                lines.append(" ".join([*(self._set_match(spans, which, family) for spans, which in here), then]))
        return lines

    def _set_match(self, spans: ranges.AddressRanges, which: str, family: ranges.AddressFamily) -> str:
        return f"ct original {family.ip} {which} @{self.decision.address_set(spans, family)}"


def _chain_suffix(overlapping_source: _OverlappingSource | None) -> str:
    return f"_{overlapping_source.number}" if overlapping_source else ""


def _join_chains(chain: ServiceKeys, more: ServiceKeys) -> ServiceKeys:
    """One after the other, without repeats."""
    return tuple(dict.fromkeys((*chain, *more)))


def _is_for_new_flows(rule: Mapping[str, Any]) -> bool:
    return bool(rule.get("apply_to", "all") == "new")


def _protocol_match(rule: Mapping[str, Any]) -> str:
    protocol = str(rule.get("protocol") or "any")
    if protocol == "any":
        return ""
    ports = rule.get("ports") or []
    if protocol in ("tcp", "udp", "sctp") and ports and "any" not in ports:
        return f"meta l4proto {protocol} ct original proto-dst {{ {', '.join(map(str, ports))} }}"
    return f"meta l4proto {protocol}"
