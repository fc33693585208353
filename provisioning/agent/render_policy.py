"""The policies of a segment as lists of nft rules that end in outcomes: its own flows, and flows through shares.

Every test is on the connection's original tuple, so a decision can be made again for any packet in any direction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from provisioning.agent import ranges
from provisioning.agent.render_decision import CHANGED, Decision
from provisioning.agent.view import Segment, short


@dataclass(frozen=True)
class Policies:
    """The rules of one segment, and the addresses behind the names they use."""

    segment: str
    rules: Sequence[Mapping[str, Any]]
    sets: Mapping[str, Sequence[str]]

    @cached_property
    def _parsed(self) -> Mapping[str, ranges.Ranges]:
        return {name: ranges.union(texts) for name, texts in self.sets.items()}

    def spans(self, names: Iterable[str]) -> ranges.Ranges:
        found = [self._parsed[name] for name in names if name in self._parsed]
        return found[0] if len(found) == 1 else ranges.joined(span for spans in found for span in spans)


@dataclass(frozen=True)
class Crossing:
    """Flows between this segment and another, begun on one side: whose policies are tried first and second."""

    name: str
    first: Policies
    second: Policies


@dataclass(frozen=True)
class _Speaker:
    """A source that is known by its number and not by its address."""

    number: int
    names: frozenset[str]


Parts = tuple[str, ...]


def write(segment: Segment, decision: Decision, speakers: Mapping[str, int]) -> None:
    """Writes the chain ``rules`` and all it leads to into the decision."""
    _Writer(segment, decision).write({speakers[name]: names for name, names in segment.speakers.items()})


class _Writer:
    def __init__(self, segment: Segment, decision: Decision) -> None:
        self.segment, self.decision = segment, decision
        self.own = Policies(segment.name, segment.body["rules"], segment.body["sets"])
        self.apps = {app["id"]: app for app in segment.body.get("apps", ())}

    def write(self, speakers: Mapping[int, frozenset[str]]) -> None:
        lines = [f"ct label {number} goto rules_{number}" for number in sorted(speakers)]
        self.decision.lists["rules"] = (*lines, *self._all(None))
        for number, names in speakers.items():
            self.decision.lists[f"rules_{number}"] = tuple(self._all(_Speaker(number, names)))

    def _all(self, speaker: _Speaker | None) -> Iterator[str]:
        """Everything that may begin at one speaker, or at anybody who is known by the address."""
        decision = self.decision
        deny = decision.register(None, False)
        yield from self._crossings(speaker)
        if self.segment.lent:
            yield from self._pairs(None, self.segment.lent, f"goto {deny}")
            if not speaker:
                yield from self._pairs(self.segment.lent, None, f"goto {deny}")
        for rule in self.own.rules:
            matches = self._matches(self.own, rule, speaker, cross=False)
            yield from self._rule(self.own, rule, matches, decision.outcome(rule))
        if self.segment.body["stance"] == "open":
            yield from self._pairs(
                None if speaker else self.segment.own, self.segment.own, f"goto {decision.register((), False)}"
            )
        yield f"counter name {decision.counter(f'stance/{self.segment.name}|denied', 'packets')}"
        yield f"goto {deny}"

    # -- shares ------------------------------------------------------------------------------------------------------

    def _crossings(self, speaker: _Speaker | None) -> Iterator[str]:
        """What goes to or comes from guests of another segment belongs to the chain of that pair and direction."""
        foreign = self.segment.body.get("foreign", {})
        for name, number in sorted({(guest["segment"], guest["number"]) for guest in self.segment.guests}):
            guests = ranges.union(
                r for guest in self.segment.guests if guest["segment"] == name for r in guest["ranges"]
            )
            theirs = foreign.get(name, {"rules": (), "sets": {}})
            other = Policies(name, theirs["rules"], theirs["sets"])
            out = Crossing(f"out_{number}", self.own, other)
            yield from self._pairs(None if speaker else self.segment.own, guests, f"goto {self._enter(out, speaker)}")
            if not speaker:
                into = Crossing(f"in_{number}", other, self.own)
                yield from self._pairs(guests, self.segment.own, f"goto {self._enter(into, speaker)}")

    def _enter(self, crossing: Crossing, speaker: _Speaker | None) -> str:
        """The first passage that holds both ends and may be begun from here; none: the segments are isolated."""
        chain = f"{crossing.name}{_tag(speaker)}"
        lines: list[str] = []
        for passage in self.segment.body.get("passages", ()):
            sides = {passage[side]["segment"]: side for side in ("a", "b")}
            if sides.keys() != {crossing.first.segment, crossing.second.segment}:
                continue
            near = sides[crossing.first.segment]
            if near not in passage["initiate"]:
                continue
            far = sides[crossing.second.segment]
            services = self.decision.living(passage["chain"])
            then = self.decision.register(None, False) if services is None else self._first(crossing, services, speaker)
            spans = [ranges.union(passage[side]["ranges"]) for side in (near, far)]
            lines += self._pairs(spans[0], spans[1], f"goto {then}")
        self.decision.lists[chain] = (*lines, f"goto {self.decision.register(None, False)}")
        return chain

    def _first(self, crossing: Crossing, services: Parts, speaker: _Speaker | None) -> str:
        """The policies of the segment where the flow begins; then those of the other are tried."""
        chain = f"{crossing.name}{_tag(speaker)}_{short('first', ','.join(services))}"
        if chain not in self.decision.lists:
            self.decision.lists[chain] = ()
            lines: list[str] = []
            for rule in crossing.first.rules:
                if not (matches := list(self._matches(crossing.first, rule, speaker, cross=True))):
                    continue
                found = self.decision.chain_of(rule)
                later = _is_later(rule)
                if rule["action"] == "watch":
                    outcome = None
                elif found is None:
                    outcome = self.decision.register(None, later)
                else:
                    outcome = self._second(crossing, _joined(found, services), later, speaker)
                lines += self._rule(crossing.first, rule, matches, outcome)
            self.decision.lists[chain] = (*lines, f"goto {self._second(crossing, services, None, speaker)}")
        return chain

    def _second(self, crossing: Crossing, so_far: Parts, decided_later: bool | None, speaker: _Speaker | None) -> str:
        """``decided_later``: whether the rule of the first segment is for new flows only; None when none matched."""
        chain = f"{crossing.name}{_tag(speaker)}_{short('then', f'{so_far} {decided_later}')}"
        if chain not in self.decision.lists:
            self.decision.lists[chain] = ()
            lines: list[str] = []
            for rule in crossing.second.rules:
                if not (matches := list(self._matches(crossing.second, rule, speaker, cross=True))):
                    continue
                found = self.decision.chain_of(rule)
                if rule["action"] == "watch":
                    outcome = None
                elif found is None:
                    outcome = self.decision.register(None, _is_later(rule))
                else:
                    later = _is_later(rule) and decided_later is not False
                    outcome = self.decision.register(_joined(so_far, found), later)
                lines += self._rule(crossing.second, rule, matches, outcome)
            last = self.decision.register(so_far, bool(decided_later))
            self.decision.lists[chain] = (*lines, f"goto {last}")
        return chain

    # -- one rule ------------------------------------------------------------------------------------------------------

    def _rule(
        self, policies: Policies, rule: Mapping[str, Any], matches: Iterable[str], outcome: str | None
    ) -> Iterator[str]:
        """Counts the flow once, when it is new; an outcome ends the search, a watching rule does not."""
        counter = self.decision.counter(f"rule/{policies.segment}/{rule['id']}|hits", "packets")
        for match in matches:
            if outcome is None:
                yield f"{CHANGED} 0 {match} counter name {counter}"
            else:
                yield f"{match} goto {self.decision.hit(counter, outcome)}"

    def _matches(
        self, policies: Policies, rule: Mapping[str, Any], speaker: _Speaker | None, cross: bool
    ) -> Iterator[str]:
        """The nft expressions of a rule: groups to groups, groups to the internet, the internet to applications."""
        protocol = _protocol(rule)
        for family in self.segment.families:
            sources = list(self._source(policies, rule, speaker, family))
            destinations = list(self._groups(policies, rule["to"], rule.get("destination"), family, "daddr"))
            if not cross and family is ranges.IP4 and "internet" in rule["to"]:
                destinations.append(self._outside(rule.get("destination"), "daddr"))
            for source in sources:
                for destination in destinations:
                    yield " ".join(filter(None, (source, destination, protocol)))
        if not cross and not speaker and "internet" in rule["from"]:
            for name in rule["to"]:
                if name in self.apps and (to_app := self._to_app(self.apps[name], rule)):
                    yield f"{self._outside(rule.get('source'), 'saddr')} {to_app}".strip()

    def _source(
        self, policies: Policies, rule: Mapping[str, Any], speaker: _Speaker | None, family: ranges.Family
    ) -> Iterator[str]:
        if not speaker:
            yield from self._groups(policies, rule["from"], rule.get("source"), family, "saddr")
        elif not speaker.names.isdisjoint(rule["from"]):
            if rule.get("source") is None:
                yield ""
            elif spans := family.of(ranges.union(rule["source"])):
                yield self._in(spans, "saddr", family)

    def _groups(
        self, policies: Policies, names: Sequence[str], narrowed: list[str] | None, family: ranges.Family, which: str
    ) -> Iterator[str]:
        spans = policies.spans(name for name in names if name != "internet" and name not in self.apps)
        if narrowed is not None:
            spans = ranges.intersection(spans, ranges.union(narrowed))
        if here := family.of(spans):
            yield self._in(here, which, family)

    def _outside(self, narrowed: list[str] | None, which: str) -> str:
        outside = f"ct original ip {which} != @{self.decision.inside}"
        if narrowed is None:
            return outside
        return f"{outside} {self._in(ranges.IP4.of(ranges.union(narrowed)), which, ranges.IP4)}"

    def _to_app(self, app: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
        """The public side of an application, "" when the rule leaves it out."""
        protocol, port = str(rule.get("protocol") or "any"), int(app["port"])
        spans = [tuple(map(int, (str(text).split("-") * 2)[:2])) for text in rule.get("ports") or ()]
        public = ranges.parse(app["public"])
        allowed = rule.get("destination") is None or ranges.intersection((public,), ranges.union(rule["destination"]))
        if protocol not in ("any", app["protocol"]) or not allowed:
            return ""
        if protocol != "any" and spans and not any(low <= port <= high for low, high in spans):
            return ""
        return f"ct original ip daddr {app['public']} meta l4proto {app['protocol']} ct original proto-dst {port}"

    def _pairs(self, source: ranges.Ranges | None, destination: ranges.Ranges | None, then: str) -> list[str]:
        """Rules for flows between two sets of addresses; None is everybody."""
        lines = []
        for family in self.segment.families:
            sides = [(source, "saddr"), (destination, "daddr")]
            here = [(family.of(spans), which) for spans, which in sides if spans is not None]
            if all(spans for spans, _ in here):
                lines.append(" ".join([*(self._in(spans, which, family) for spans, which in here), then]))
        return lines

    def _in(self, spans: ranges.Ranges, which: str, family: ranges.Family) -> str:
        return f"ct original {family.ip} {which} @{self.decision.span_set(spans, family)}"


def _tag(speaker: _Speaker | None) -> str:
    return f"_{speaker.number}" if speaker else ""


def _joined(chain: Parts, more: Parts) -> Parts:
    """One after the other, without repeats."""
    return tuple(dict.fromkeys((*chain, *more)))


def _is_later(rule: Mapping[str, Any]) -> bool:
    return bool(rule.get("apply_to", "all") == "new")


def _protocol(rule: Mapping[str, Any]) -> str:
    protocol = str(rule.get("protocol") or "any")
    if protocol == "any":
        return ""
    ports = rule.get("ports") or []
    if protocol in ("tcp", "udp", "sctp") and ports and "any" not in ports:
        return f"meta l4proto {protocol} ct original proto-dst {{ {', '.join(map(str, ports))} }}"
    return f"meta l4proto {protocol}"
