"""Rules as node documents write them: who is named, which addresses a name means, what is matched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provisioning.core.intent import ANY, INTERNET, FirewallRule, Intent, NatMatch, Policy, Rule
from provisioning.core.intent.list_resolver import ListResolver
from provisioning.core.node_document_rules import FlowMatchEntry, L4Entry, MatchEntry, RuleEntry
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PublishedApp
from provisioning.core.values.addresses import Range, merge_ranges, range_text
from provisioning.core.values.l4 import L4Part, L4Ranges, l4_parts

_POLICY_RULES = DerivedKey[list[RuleEntry]]("rules of a policy")


def range_texts(ranges: Iterable[Range]) -> list[str]:
    return [range_text(pair) for pair in ranges]


def _address_match(prefixes: ListResolver, names: tuple[str, ...]) -> list[str] | None:
    """Return prefixes and prefix lists as ranges; None where every address matches."""
    ranges = prefixes.ranges(names)
    return None if ranges is None else range_texts(ranges)


def rule_entries(network: Network, policies: Sequence[Policy]) -> list[RuleEntry]:
    """Return the policies' rules in the order they are tried. A policy's rules read the same in every segment, so all
    its segments share them."""
    return [rule for policy in policies for rule in _policy_rules(network, policy)]


def _policy_rules(network: Network, policy: Policy) -> list[RuleEntry]:
    named = [network.lists[uid] for uid in network.lists_in(policy)]

    def make() -> list[RuleEntry]:
        from_, to = set_names(network.intent, policy.from_), set_names(network.intent, policy.to)
        rules = (rule for rule in policy.rules if rule.mode != "disabled")
        return [_rule_entry(network, policy, rule, from_, to) for rule in rules]

    return network.derived.get(_POLICY_RULES, (policy, *named), make, of=policy.uid)


def _rule_entry(network: Network, policy: Policy, rule: Rule, from_: list[str], to: list[str]) -> RuleEntry:
    return {
        "id": policy.rule_id(rule),
        "tier": policy.tier,
        "mode": rule.mode,
        "action": rule.action,
        "reject": rule.reject,
        "chain": service_keys(network.intent, rule.services),
        "from": from_,
        "to": to,
        **flow_match_entry(network.prefixes, rule),
        "apply_to": policy.apply_to,
    }


def flow_match_entry(prefixes: ListResolver, rule: Rule | FirewallRule) -> FlowMatchEntry:
    entry: FlowMatchEntry = {**match_entry(prefixes, rule, prefixes.headers(rule).l4)}
    if rule.source_ports:
        entry["source_ports"] = [*rule.source_ports]
    if rule.dscp is not None:
        entry["dscp"] = rule.dscp
    return entry


def match_entry(prefixes: ListResolver, match: Rule | FirewallRule | NatMatch, l4: L4Ranges) -> MatchEntry:
    return {
        "source": _address_match(prefixes, match.source),
        "destination": _address_match(prefixes, match.destination),
        "l4": [_l4_entry(part) for part in l4_parts(l4)],
    }


def _l4_entry(part: L4Part) -> L4Entry:
    entry: L4Entry = {"protocol": part.protocol, "ports": [*part.ports]}
    if part.icmp_types:
        entry["icmp_types"] = [*part.icmp_types]
    return entry


def service_keys(intent: Intent, services: Iterable[str]) -> list[str]:
    return [intent.services[uid].key for uid in services]


# Names


def set_name(intent: Intent, uid: str) -> str:
    """Return ``g:prod``, ``c:vpc-prod``, ``app:shop``, ``any`` or ``internet``; made of keys, which outlive renames."""
    if uid in (ANY, INTERNET):
        return uid
    if uid in intent.groups:
        return f"g:{intent.groups[uid].key}"
    if uid in intent.internet_apps:
        return f"app:{intent.internet_apps[uid].key}"
    return f"c:{intent.connectors[uid].key}"


def set_names(intent: Intent, uids: Iterable[str]) -> list[str]:
    return sorted(set_name(intent, uid) for uid in uids)


def address_sets(
    network: Network, policies: Sequence[Policy], members: Iterable[Member], apps: Iterable[PublishedApp] = ()
) -> dict[str, list[str]]:
    """Return the addresses behind the names that these policies use: ``any`` always, others where these members and
    applications have some, the internet never."""
    used = {ANY}.union(*(policy.from_ for policy in policies), *(policy.to for policy in policies))
    ranges: dict[str, list[Range]] = {ANY: []}
    for member in members:
        for uid in used.intersection(member.names) if member.ranges else ():
            ranges.setdefault(uid, []).extend(member.ranges)
    for app in apps:
        if app.app.uid in used:
            ranges.setdefault(app.app.uid, []).append((app.public, app.public))
    return {
        name: range_texts(merge_ranges(ranges[uid]))
        for name, uid in sorted((set_name(network.intent, uid), uid) for uid in ranges)
    }
