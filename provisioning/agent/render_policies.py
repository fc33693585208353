"""The policies of a segment as lists of nft rules that end in outcomes: its own flows, and flows through shares.

Every match is on the connection's original tuple, so a decision can be made again for any packet in any direction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from provisioning.agent.address_families import IPV4, AddressFamily, AddressRanges
from provisioning.agent.nft_matches import connection_matches, first_packet_match, is_l4_match
from provisioning.agent.nft_names import hashed_name
from provisioning.agent.parsed_segment import ParsedSegment
from provisioning.agent.render_decision import MATCH_VERDICT, DecisionChains
from provisioning.core.node_document import AppEntry
from provisioning.core.node_document_rules import RuleEntry
from provisioning.core.values.addresses import intersect, merge_ranges, parse_range, parse_ranges
from provisioning.core.values.counter_key import CounterKey

ServiceKeys = tuple[str, ...]


@dataclass(frozen=True)
class SegmentRuleSet:
    """The rules of one segment, and the addresses behind the names they use."""

    segment: str
    rules: Sequence[RuleEntry]
    address_sets: Mapping[str, Sequence[str]]

    @cached_property
    def _parsed_sets(self) -> Mapping[str, AddressRanges]:
        return {name: parse_ranges(texts) for name, texts in self.address_sets.items()}

    def ranges_of(self, names: Iterable[str]) -> AddressRanges:
        sets = [self._parsed_sets[name] for name in names if name in self._parsed_sets]
        return sets[0] if len(sets) == 1 else merge_ranges(pair for ranges in sets for pair in ranges)


@dataclass(frozen=True)
class SegmentPair:
    """Flows between this segment and another that begin on one side: the policies of ``initiator`` are tried first.

    to_internet: they leave by the exits of the responder's segment.
    """

    name: str
    initiator: SegmentRuleSet
    responder: SegmentRuleSet
    to_internet: bool = False


@dataclass(frozen=True)
class _OverlappingSource:
    """A source that is known by its number and not by its address."""

    number: int
    names: frozenset[str]


def add_policy_chains(segment: ParsedSegment, decision: DecisionChains, overlapping_sources: Mapping[str, int]) -> None:
    """Write the chain ``rules`` and all it leads to into the decision."""
    renderer = _PolicyRenderer(segment, decision)
    sources = {overlapping_sources[name]: names for name, names in segment.overlapping_sources.items()}
    jumps = [f"ct label {number} goto rules_{number}" for number in sorted(sources)]
    decision.rule_chains["rules"] = (*jumps, *renderer.all_rules(None))
    for number, names in sources.items():
        decision.rule_chains[f"rules_{number}"] = tuple(renderer.all_rules(_OverlappingSource(number, names)))


class _PolicyRenderer:
    def __init__(self, segment: ParsedSegment, decision: DecisionChains) -> None:
        self.segment, self.decision = segment, decision
        self.own_rules = SegmentRuleSet(segment.name, segment.body["rules"], segment.body["address_sets"])
        self.apps = {app["id"]: app for app in segment.body["apps"]}
        published = (parse_range(app["public"]) for app in segment.hairpin_apps)
        self.off_internet = {
            "saddr": decision.address_set(segment.internal_ranges, IPV4),
            "daddr": decision.address_set(merge_ranges((*segment.internal_ranges, *published)), IPV4),
        }

    def all_rules(self, source: _OverlappingSource | None) -> Iterator[str]:
        """Yield the rules for flows that begin at one overlapping source, or at anybody who is known by the address."""
        decision, segment = self.decision, self.segment
        deny = decision.outcome_chain(None, False)
        yield from self._other_segment_rules(source)
        if segment.other_segment_ranges:
            yield from self._pair_rules(None, segment.other_segment_ranges, f"goto {deny}")
            if not source:
                yield from self._pair_rules(segment.other_segment_ranges, None, f"goto {deny}")

        def lines_of(rule: RuleEntry) -> Iterator[str]:
            matches = self._matches(self.own_rules, rule, source, None)
            yield from self._rule_lines(self.own_rules, rule, matches, decision.rule_outcome_chain)

        yield from self._tier_lines(f"rules{_chain_suffix(source)}", self.own_rules, lines_of)
        if segment.body["default_action"] == "allow":
            senders = None if source else segment.member_ranges
            yield from self._pair_rules(senders, segment.member_ranges, f"goto {decision.outcome_chain((), False)}")
        denied = CounterKey(f"default-action/{segment.name}", verdict="denied")
        yield f"counter name {decision.packet_counter(denied)}"
        yield f"goto {deny}"

    # -- shares ------------------------------------------------------------------------------------------------------

    def _other_segment_rules(self, source: _OverlappingSource | None) -> Iterator[str]:
        """Yield a jump for each other segment and direction: to the chain that decides about flows with it."""
        segment = self.segment
        for name, number in sorted({(member["segment"], member["number"]) for member in segment.imported_members}):
            imported = parse_ranges(
                text for member in segment.imported_members if member["segment"] == name for text in member["ranges"]
            )
            peer_rules = segment.body["peer_rules"][name]
            other_segment = SegmentRuleSet(name, peer_rules["rules"], peer_rules["address_sets"])
            outbound = SegmentPair(f"out_{number}", self.own_rules, other_segment)
            senders = None if source else segment.member_ranges
            yield from self._pair_rules(senders, imported, f"goto {self._shares_chain(outbound, source)}")
            if not source:
                inbound = SegmentPair(f"in_{number}", other_segment, self.own_rules)
                jump = f"goto {self._shares_chain(inbound, source)}"
                yield from self._pair_rules(imported, segment.member_ranges, jump)
                if leaving := parse_ranges(
                    text
                    for member in segment.imported_members
                    if member["segment"] == name and member.get("internet")
                    for text in member["ranges"]
                ):
                    outwards = SegmentPair(f"net_{number}", other_segment, self.own_rules, to_internet=True)
                    jump = f"{self._internet_match(None, 'daddr')} goto {self._shares_chain(outwards, source)}"
                    yield from self._pair_rules(IPV4.select(leaving), None, jump)

    def _shares_chain(self, pair: SegmentPair, source: _OverlappingSource | None) -> str:
        """Write the chain that finds the first share which holds both ends and may be initiated from this side; where
        there is none, the segments are isolated. Return its name."""
        chain = f"{pair.name}{_chain_suffix(source)}"
        lines: list[str] = []
        for share in self.segment.body["shares"]:
            if share["a"]["segment"] == pair.initiator.segment and share["b"]["segment"] == pair.responder.segment:
                near, far, side = share["a"], share["b"], "a"
            elif share["b"]["segment"] == pair.initiator.segment and share["a"]["segment"] == pair.responder.segment:
                near, far, side = share["b"], share["a"], "b"
            else:
                continue
            if side not in share["initiate"] or (pair.to_internet and not far.get("internet")):
                continue
            services = self.decision.available_services(share["chain"])
            if services is None:
                target = self.decision.outcome_chain(None, False)
            else:
                target = self._initiator_chain(pair, services, source)
            reached = None if pair.to_internet else parse_ranges(far["ranges"])
            lines += self._pair_rules(parse_ranges(near["ranges"]), reached, f"goto {target}")
        self.decision.rule_chains[chain] = (*lines, f"goto {self.decision.outcome_chain(None, False)}")
        return chain

    def _initiator_chain(self, pair: SegmentPair, services: ServiceKeys, source: _OverlappingSource | None) -> str:
        """Write the chain that tries the policies of the segment where the flow begins, and goes on to the other's.
        ``services`` are the share's. Return its name."""
        chain = f"{pair.name}{_chain_suffix(source)}_{hashed_name('first', ','.join(services))}"

        def continue_with(rule_services: ServiceKeys, new_only: bool) -> str:
            return self._responder_chain(pair, _join_chains(rule_services, services), new_only, source)

        def no_match() -> str:
            return self._responder_chain(pair, services, None, source)

        return self._write_rule_chain(chain, pair, pair.initiator, source, continue_with, no_match)

    def _responder_chain(
        self, pair: SegmentPair, services: ServiceKeys, new_only: bool | None, source: _OverlappingSource | None
    ) -> str:
        """Write the chain that tries the policies of the segment where the flow ends. Return its name.

        ``services`` are those found so far; ``new_only``: whether the initiator's rule is for new flows only, None when
        none matched.
        """
        chain = f"{pair.name}{_chain_suffix(source)}_{hashed_name('then', f'{services} {new_only}')}"

        def decide(rule_services: ServiceKeys, responder_new_only: bool) -> str:
            # A flow is left alone only where every rule that had a say is for new flows.
            later = responder_new_only and new_only is not False
            return self.decision.outcome_chain(_join_chains(services, rule_services), later)

        def no_match() -> str:
            # A share by itself never allows the internet.
            is_denied = pair.to_internet and new_only is None
            return self.decision.outcome_chain(None if is_denied else services, bool(new_only))

        return self._write_rule_chain(chain, pair, pair.responder, source, decide, no_match)

    def _write_rule_chain(
        self,
        chain: str,
        pair: SegmentPair,
        rule_set: SegmentRuleSet,
        source: _OverlappingSource | None,
        on_allow: Callable[[ServiceKeys, bool], str],
        on_no_match: Callable[[], str],
    ) -> str:
        """Write a chain that tries a segment's rules on flows through a share, once for all that lead to it.

        A rule that denies ends the search. ``on_allow`` (services of the rule, whether it is for new flows only) and
        ``on_no_match`` return the chain to go on to.
        """
        if chain in self.decision.rule_chains:
            return chain

        def outcome_of(rule: RuleEntry) -> str:
            services = self.decision.services_of(rule)
            if services is None:
                return self.decision.rule_outcome_chain(rule)
            return on_allow(services, _is_for_new_flows(rule))

        def lines_of(rule: RuleEntry) -> Iterator[str]:
            matches = self._matches(rule_set, rule, source, pair)
            yield from self._rule_lines(rule_set, rule, matches, outcome_of)

        lines = tuple(self._tier_lines(chain, rule_set, lines_of))
        self.decision.rule_chains[chain] = (*lines, f"goto {on_no_match()}")
        return chain

    def _tier_lines(
        self, chain: str, rule_set: SegmentRuleSet, lines_of: Callable[[RuleEntry], Iterator[str]]
    ) -> Iterator[str]:
        """Yield the lines of all rules. A tier with a rule that passes has a chain of its own, from where such a rule
        leads back to the next tier."""
        for tier, rules in groupby(rule_set.rules, key=lambda rule: rule["tier"]):
            listed = list(rules)
            lines = [line for rule in listed for line in lines_of(rule)]
            if any(rule["action"] == "pass" for rule in listed):
                self.decision.rule_chains[f"{chain}_{tier}"] = tuple(lines)
                yield f"jump {chain}_{tier}"
            else:
                yield from lines

    # -- one rule ------------------------------------------------------------------------------------------------------

    def _rule_lines(
        self,
        rule_set: SegmentRuleSet,
        rule: RuleEntry,
        matches: Iterable[str],
        outcome_of: Callable[[RuleEntry], str],
    ) -> Iterator[str]:
        """Yield nft rules that count a flow once, when it is new, and lead to the chain that ``outcome_of`` returns.

        One that is monitored goes on to the next rule.
        """
        counter = self.decision.packet_counter(CounterKey(f"rule/{rule_set.segment}/{rule['id']}", quantity="hits"))
        for match in matches:
            if rule["mode"] == "monitor":
                yield f"{MATCH_VERDICT} 0 {match} counter name {counter}"
            else:
                outcome = None if rule["action"] == "pass" else outcome_of(rule)
                yield f"{match} goto {self.decision.hit_counter_chain(counter, outcome)}"

    def _matches(
        self, rule_set: SegmentRuleSet, rule: RuleEntry, source: _OverlappingSource | None, pair: SegmentPair | None
    ) -> Iterator[str]:
        """Yield a rule's nft expressions: groups to groups, groups to the internet, either to applications."""
        protocols = connection_matches(rule)
        for family in self.segment.families:
            destinations = list(self._group_match(rule_set, rule["to"], rule["destination"], family, "daddr"))
            if (pair is None or pair.to_internet) and family is IPV4 and "internet" in rule["to"]:
                destinations.append(self._internet_match(rule["destination"], "daddr"))
            for source_match in self._source_matches(rule_set, rule, source, family):
                for destination in destinations:
                    yield from (" ".join(filter(None, (source_match, destination, protocol))) for protocol in protocols)
        if pair:
            return
        clients = list(self._source_matches(rule_set, rule, source, IPV4))
        if not source and "internet" in rule["from"]:
            clients.append(self._internet_match(rule["source"], "saddr"))
        for name in rule["to"]:
            if name in self.apps and (to_app := self._application_match(self.apps[name], rule)):
                yield from (f"{client} {to_app}".strip() for client in clients)

    def _source_matches(
        self, rule_set: SegmentRuleSet, rule: RuleEntry, source: _OverlappingSource | None, family: AddressFamily
    ) -> Iterator[str]:
        if not source:
            yield from self._group_match(rule_set, rule["from"], rule["source"], family, "saddr")
        elif not source.names.isdisjoint(rule["from"]):
            if rule["source"] is None:
                yield ""
            elif ranges := family.select(parse_ranges(rule["source"])):
                yield self._set_match(ranges, "saddr", family)

    def _group_match(
        self,
        rule_set: SegmentRuleSet,
        names: Sequence[str],
        narrowed: list[str] | None,
        family: AddressFamily,
        field: str,
    ) -> Iterator[str]:
        ranges = rule_set.ranges_of(name for name in names if name != "internet" and name not in self.apps)
        if narrowed is not None:
            ranges = intersect(ranges, parse_ranges(narrowed))
        if selected := family.select(ranges):
            yield self._set_match(selected, field, family)

    def _internet_match(self, narrowed: list[str] | None, field: str) -> str:
        outside = f"ct original ip {field} != @{self.off_internet[field]}"
        if narrowed is None:
            return outside
        return f"{outside} {self._set_match(IPV4.select(parse_ranges(narrowed)), field, IPV4)}"

    def _application_match(self, app: AppEntry, rule: RuleEntry) -> str:
        """Return the match on flows to an application, "" where the rule leaves it out."""
        public = parse_range(app["public"])
        if rule["destination"] is not None and not intersect((public,), parse_ranges(rule["destination"])):
            return ""
        if not is_l4_match(rule, app["protocol"], app["port"]):
            return ""
        port = f"meta l4proto {app['protocol']} ct original proto-dst {app['port']}"
        return f"ct original ip daddr {app['public']} {port} {first_packet_match(rule)}".strip()

    def _pair_rules(self, source: AddressRanges | None, destination: AddressRanges | None, then: str) -> list[str]:
        """Return rules for flows between two sets of addresses; None is every address."""
        lines = []
        for family in self.segment.families:
            sides = [(source, "saddr"), (destination, "daddr")]
            selected = [(family.select(ranges), field) for ranges, field in sides if ranges is not None]
            if all(ranges for ranges, _ in selected):
                lines.append(" ".join([*(self._set_match(ranges, field, family) for ranges, field in selected), then]))
        return lines

    def _set_match(self, ranges: AddressRanges, field: str, family: AddressFamily) -> str:
        return f"ct original {family.ip} {field} @{self.decision.address_set(ranges, family)}"


def _chain_suffix(source: _OverlappingSource | None) -> str:
    return f"_{source.number}" if source else ""


def _join_chains(services: ServiceKeys, more: ServiceKeys) -> ServiceKeys:
    """Return one chain after the other, without repeats."""
    return tuple(dict.fromkeys((*services, *more)))


def _is_for_new_flows(rule: RuleEntry) -> bool:
    return rule["apply_to"] == "new"
