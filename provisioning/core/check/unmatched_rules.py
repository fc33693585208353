"""Rules that can match nobody: no member that their policy names has the addresses, the protocol or the port.

A rule is compared with the flows that its policy can have at all, in any of its segments. Where the policy itself has
none (a group without members, no exit), ``policies`` says so, and nothing is said here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from provisioning.core.check.match_sets import MatchSet, ranges_overlap, rule_match_set
from provisioning.core.intent import ANY, INTERNET, FirewallRule, Policy, Rule, Service
from provisioning.core.intent.list_resolver import ListResolver
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import (
    ALL_V4,
    ALL_V6,
    BOGON_RANGES,
    Range,
    address_text,
    complement,
    merge_ranges,
)
from provisioning.core.values.l4 import FLOW_L4, IPV4_L4, IPV6_L4, L4Ranges, l4_ranges, protocol_and_port
from provisioning.core.values.resource import Problem

MAX_NAMED = 3
"""Entries of a rule that a warning names."""

Ranges = tuple[Range, ...]


class _PossibleFlows(NamedTuple):
    """Some flows that a policy can have: sources and destinations by name. app: the application that they go to."""

    sources: Sequence[Ranges]
    destinations: Sequence[Ranges]
    l4_ranges: L4Ranges
    app: str = ""


class _NamedAddresses(NamedTuple):
    """By every name that policies use for members of a segment: where they send from, and what is routed to them."""

    sources: Mapping[str, Ranges]
    destinations: Mapping[str, Ranges]


class _RulePlace(NamedTuple):
    """path, label: of the rule. from_, to: who may match it, in a sentence."""

    path: str
    label: str
    from_: str
    to: str


_NAMED = DerivedKey[_NamedAddresses]("addresses of a segment by name")
_PROBLEMS = DerivedKey[tuple[Problem, ...]]("rules of a policy that match nobody")
_SERVICE_PROBLEMS = DerivedKey[tuple[Problem, ...]]("rules of a service that match nobody")


def check_unmatched_rules(network: Network) -> Iterator[Problem]:
    """Warn about rules, and entries of their sources and destinations, that nobody in their policy can match."""
    for policy in network.intent.policies.values():
        if policy.enabled:
            segments = [network.resolved(uid) for uid in policy.segments if uid in network.intent.segments]
            lists = [network.lists[uid] for uid in network.lists_in(policy)]
            make = partial(_check_policy, policy, segments, network.prefixes)
            yield from network.derived.get(_PROBLEMS, (policy, None, *segments, None, *lists), make, of=policy.uid)


def _check_policy(policy: Policy, segments: Sequence[ResolvedSegment], prefixes: ListResolver) -> tuple[Problem, ...]:
    flows = [possible for resolved in segments for possible in _flows_between(policy.from_, policy.to, resolved)]
    if not flows:
        return ()
    problems: list[Problem] = []
    for index, rule in enumerate(policy.rules):
        if rule.mode != "disabled":
            label = f"Rule “{rule.name}” of policy “{policy.name}”"
            where = _RulePlace(f"policies/{policy.key}/rules[{index}]", label, "its “from”", "its “to”")
            problems += _check_rule(where, rule, flows, prefixes)
    return tuple(problems)


def check_unmatched_firewall_rules(network: Network) -> Iterator[Problem]:
    """Warn about rules of firewalls that no flow in the segments of the service can match."""
    for service in network.intent.services.values():
        segments = [network.resolved(uid) for uid in service.segments if uid in network.intent.segments]
        lists = [network.lists[uid] for uid in network.lists_in(service)]
        make = partial(_check_service, service, segments, network.prefixes)
        yield from network.derived.get(
            _SERVICE_PROBLEMS, (service, None, *segments, None, *lists), make, of=service.uid
        )


def _check_service(
    service: Service, segments: Sequence[ResolvedSegment], prefixes: ListResolver
) -> tuple[Problem, ...]:
    flows = [
        possible
        for resolved in segments
        for possible in _flows_between(
            (ANY, INTERNET), (ANY, INTERNET, *(app.app.uid for app in resolved.apps)), resolved
        )
    ]
    if not flows:
        return ()
    problems: list[Problem] = []
    for index, rule in enumerate(service.firewall_rules):
        path, label = f"services/{service.key}/settings.rules[{index}]", f"Rule {index + 1} of service “{service.name}”"
        problems += _check_rule(_RulePlace(path, label, "its segments", "its segments"), rule, flows, prefixes)
    return tuple(problems)


def _flows_between(from_: Sequence[str], to: Sequence[str], resolved: ResolvedSegment) -> Iterator[_PossibleFlows]:
    named = resolved.derived.get(_NAMED, (), partial(_named_addresses, resolved))
    sources = [ranges for name in from_ if (ranges := named.sources.get(name))]
    destinations = [ranges for name in to if (ranges := named.destinations.get(name))]
    if INTERNET in to and resolved.exit_ranges:
        destinations.append(resolved.exit_ranges)
    if sources and destinations:
        yield _PossibleFlows(sources, destinations, l4_ranges(ANY))
    outside = [complement(BOGON_RANGES)] if INTERNET in from_ else []
    for app in resolved.apps:
        if app.app.uid in to and (sources or outside):
            public = ((app.public, app.public),)
            yield _PossibleFlows([*sources, *outside], [public], ((app.l4, app.l4),), app.app.name)


def _named_addresses(resolved: ResolvedSegment) -> _NamedAddresses:
    sources: dict[str, list[Range]] = {}
    destinations: dict[str, list[Range]] = {}
    for member in (*resolved.members, *resolved.imported_members):
        for name in () if member.is_exit else (ANY, member.connector.uid, *member.attachment.member_of):
            sources.setdefault(name, []).extend(member.sources)
            destinations.setdefault(name, []).extend(member.ranges)
    return _NamedAddresses(
        {name: merge_ranges(ranges) for name, ranges in sources.items()},
        {name: merge_ranges(ranges) for name, ranges in destinations.items()},
    )


def _check_rule(
    where: _RulePlace, rule: Rule | FirewallRule, flows: Sequence[_PossibleFlows], prefixes: ListResolver
) -> Iterator[Problem]:
    box = rule_match_set(rule, prefixes)
    if box.is_empty:
        return  # ``shadowed_rules`` says so.
    told = False
    for field, names, side in (("source", rule.source, where.from_), ("destination", rule.destination, where.to)):
        unmatched = [
            (nth, name)
            for nth, name in enumerate(names)
            if not name.startswith("!") and not _is_anybodys(field, prefixes.ranges((name,)) or (), flows)
        ]
        if unmatched:
            told = True
            named = [prefixes.lists[name].name if name in prefixes.lists else name for _, name in unmatched]
            more = f" and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
            yield Problem(
                "matches_nobody",
                f"{where.path}.{field}[{unmatched[0][0]}]",
                f"{where.label} names {field} {', '.join(named[:MAX_NAMED])}{more}, which nobody in {side} has."
                f"{_explain_applications(flows) if field == 'destination' else ''} Name addresses that are presented "
                "there, or leave them out.",
                "warning",
            )
    if not told and not any(_can_match(box, possible) for possible in flows):
        if not ranges_overlap(box.l4_ranges, FLOW_L4):
            why = " ICMP of its types begins no flow: it passes with the flow that it answers or is about."
        else:
            why = _explain_applications(flows) or (
                " No source and destination that it may have are of a family it runs over."
            )
        message = f"{where.label} matches nobody.{why} Change its protocol, ports or types, or remove it."
        yield Problem("matches_nobody", where.path, message, "warning")


def _explain_applications(flows: Sequence[_PossibleFlows]) -> str:
    """Return how applications are met, where flows go to nothing else."""
    if not all(possible.app for possible in flows):
        return ""
    protocol, port = protocol_and_port(flows[0].l4_ranges[0][0])
    address = address_text(flows[0].destinations[0][0][0])
    return f" Application “{flows[0].app}” is met at its public address and port: {address}, {protocol} {port}."


def _is_anybodys(field: str, ranges: Ranges, flows: Sequence[_PossibleFlows]) -> bool:
    sides = (possible.sources if field == "source" else possible.destinations for possible in flows)
    return any(ranges_overlap(ranges, named) for side in sides for named in side)


def _can_match(box: MatchSet, possible: _PossibleFlows) -> bool:
    if not ranges_overlap(box.l4_ranges, possible.l4_ranges):
        return False
    return any(
        ranges_overlap(box.l4_ranges, carried)
        and _meets(box.source, possible.sources, family)
        and _meets(box.destination, possible.destinations, family)
        for family, carried in ((ALL_V4, IPV4_L4), (ALL_V6, IPV6_L4))
    )


def _meets(ranges: Ranges, named: Sequence[Ranges], family: Range) -> bool:
    """Whether some addresses of a family are among both."""
    of_family = tuple(pair for pair in ranges if family[0] <= pair[0] <= family[1])
    return any(ranges_overlap(of_family, some) for some in named)
