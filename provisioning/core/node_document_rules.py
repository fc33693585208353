"""Rules in the node document: of policies and firewalls, of NAT, of route policies."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

Ranges = list[str]

# Matches and rules


class L4Entry(TypedDict):
    """A protocol with its ports or ICMP types."""

    protocol: Annotated[str, "any, tcp, udp, icmp, icmpv6 or a number"]
    ports: Annotated[list[str], "destination ports and spans of them (443, 8000-8100); empty for all"]
    icmp_types: NotRequired[Annotated[list[int], "of ICMP or ICMPv6; left out for all"]]


class MatchEntry(TypedDict):
    """What traffic a rule is about."""

    source: Annotated[Ranges | None, "null: every address"]
    destination: Annotated[Ranges | None, "null: every address"]
    l4: Annotated[list[L4Entry], "one of them matches; empty: nothing does"]


class FlowMatchEntry(MatchEntry):
    """What flows a rule is about: what their first packet has."""

    source_ports: NotRequired[Annotated[list[str], "of tcp and udp: ports and spans of them; left out for all"]]
    dscp: NotRequired[Annotated[int, "differentiated services code point; left out for every one"]]


class FirewallRuleEntry(FlowMatchEntry):
    """A rule of a linux-firewall."""

    action: Annotated[str, "allow or deny"]


# ``from`` is no name that a class could have.
RuleEndpoints = TypedDict(
    "RuleEndpoints",
    {
        "from": Annotated[list[str], "names: keys of address_sets, internet"],
        "to": Annotated[list[str], "names: keys of address_sets, applications, internet"],
    },
)
RuleEndpoints.__doc__ = "Between whom a rule of a policy is."


class RuleEntry(RuleEndpoints, FlowMatchEntry):
    """One rule of a policy."""

    id: Annotated[str, "{policy key}/{rule}"]
    tier: Annotated[str, "of its policy; the rules stand in the order of tiers"]
    mode: Annotated[str, "enforce, or monitor: it counts, and the next rule is tried"]
    action: Annotated[str, "allow, deny, inspect, or pass: the next tier decides"]
    reject: Annotated[bool, "whether the sender of what is denied is told"]
    chain: Annotated[list[str], "keys of the services that inspect, in order"]
    apply_to: Annotated[str, "all flows, or new ones only"]


# NAT and routes

SourceTranslationEntry = TypedDict(
    "SourceTranslationEntry",
    {
        "type": Annotated[str, "none, static or pool"],
        "from": Annotated[list[str], "prefixes, paired with to; empty for a pool"],
        "to": Annotated[list[str], "prefixes"],
    },
)
SourceTranslationEntry.__doc__ = "What becomes of the source address."


class DestinationTranslationEntry(SourceTranslationEntry):
    """What becomes of the destination address."""

    port: Annotated[int | None, "the port it is translated to; null: unchanged"]


class NatRuleEntry(MatchEntry):
    """A NAT rule; the first that matches a connection's first packet wins."""

    id: Annotated[str, "nat/{key}"]
    direction: Annotated[str, "outbound: from the site; inbound: towards it"]
    to_source: Annotated[SourceTranslationEntry, "translation of the source"]
    to_destination: Annotated[DestinationTranslationEntry, "translation of the destination"]


class RoutePrefixEntry(TypedDict):
    """An entry of a prefix list."""

    prefix: Annotated[str, "routes inside it match"]
    ge: Annotated[int | None, "shortest length that matches"]
    le: Annotated[int | None, "longest length that matches"]


class RouteAttributes(TypedDict):
    """What a route policy sets."""

    prepend: Annotated[int, "times our AS number is prepended"]
    med: Annotated[int | None, "multi-exit discriminator"]
    local_preference: Annotated[int | None, "local preference"]
    communities: Annotated[list[str], "communities added"]


class RouteRuleEntry(TypedDict):
    """A rule of a route policy."""

    action: Annotated[str, "allow or deny"]
    prefixes: Annotated[list[RoutePrefixEntry] | None, "null: every route"]
    as_path: Annotated[str | None, "regular expression"]
    communities: Annotated[list[str], "all of them must be there"]
    set: Annotated[RouteAttributes, "what is set on the route"]


class RoutePolicyEntry(TypedDict):
    """A route policy; a route has to get past every one."""

    id: Annotated[str, "routes/{key}"]
    rules: Annotated[list[RouteRuleEntry], "the first that matches decides"]


# ``in`` is no name that a class could have.
RoutePolicies = TypedDict(
    "RoutePolicies",
    {
        "in": Annotated[list[RoutePolicyEntry], "for routes the site announces"],
        "out": Annotated[list[RoutePolicyEntry], "for routes announced to the site"],
    },
)
RoutePolicies.__doc__ = "The route policies of a connector in a segment."
