"""The decision about one flow: gates, first match over policies, then the services it is sent through."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provisioning.core.values.addresses import contains
from provisioning.core.fabric import placed_at
from provisioning.core.values.l4 import l4_ranges
from provisioning.core.intent import INTERNET, Exchange, FirewallRule, Policy, Rule, Service
from provisioning.core.nat import Packet
from provisioning.core.intent.prefix_resolver import PrefixResolver
from provisioning.core.realm import App, Gate, Passage, Realm
from provisioning.core.roster import Member

DELIVERED = frozenset({"delivered", "delivered_inspected"})

Matched = tuple[Policy, Rule]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a flow.

    disposition: one of the contract's words. rule: id of the rule that decided, None where the stance did.
    chain: uids of the services it passes. stopped_by: uid of the service that dropped it.
    """

    disposition: str
    rule: str | None = None
    chain: tuple[str, ...] = ()
    stopped_by: str | None = None

    @property
    def delivered(self) -> bool:
        return self.disposition in DELIVERED


def living_chain(
    exchanges: Mapping[str, Exchange], services: Mapping[str, Service], chain: Sequence[str]
) -> tuple[tuple[str, ...], str | None]:
    """The services of a chain that have instances, and the first that has none and therefore stops the flow."""
    passed: list[str] = []
    for uid in chain:
        service = services.get(uid)
        if service is not None and placed_at(exchanges, service):
            passed.append(uid)
        elif service is None or service.on_failure == "closed":
            return tuple(passed), uid
    return tuple(passed), None


def closed(realm: Realm, packet: Packet, connector: str = "") -> Gate | None:
    """The gate that keeps a flow from getting anywhere, if there is one; ``connector``: uid of its start, if here."""
    gates = realm.gates
    if not gates:
        return None
    if "gates by destination" not in realm.memo:
        realm.memo["gates by destination"] = _by_destination(gates)
    edges, listed = realm.memo["gates by destination"]
    towards = listed[bisect_right(edges, packet.destination)]
    found = next((gate for gate in towards if gate.holds(connector, packet)), None)
    return found if found and not found.passes else None


def _by_destination(gates: Sequence[Gate]) -> tuple[list[int], list[list[Gate]]]:
    """Edges of the line of addresses, and before, between and after them the gates that may hold there, in order."""
    begins: dict[int, set[int]] = {}
    ends: dict[int, set[int]] = {}
    for place, gate in enumerate(gates):
        for low, high in gate.destination or ():
            begins.setdefault(low, set()).add(place)
            ends.setdefault(high + 1, set()).add(place)
    open_ = {place for place, gate in enumerate(gates) if gate.destination is None}
    edges, listed = sorted({*begins, *ends}), [[gates[place] for place in sorted(open_)]]
    for edge in edges:
        open_ = (open_ - ends.get(edge, set())) | begins.get(edge, set())
        listed.append([gates[place] for place in sorted(open_)])
    return edges, listed


def decide(realm: Realm, start: Member, end: Member | None, packet: Packet) -> Outcome:
    """A flow between two members of the realm; ``end`` None is the internet behind an exit."""
    if closed(realm, packet, start.connector.uid):
        return Outcome("no_route")
    tos = realm.roster.named((INTERNET,))[1] if end is None else end.tos
    matched = first_match(realm, start.froms & tos, packet)
    if matched is None:
        return Outcome("delivered" if end is not None and realm.segment.stance == "open" else "denied_by_stance")
    return _ruled(realm, packet, [matched], matched[1].services, "")


def decide_shared(here: Realm, there: Realm, passage: Passage, start: Member, packet: Packet) -> Outcome:
    """A flow from a member of one realm through a share to a member of another.

    Both segments' policies are tried, a deny in either denies; the rule told is the first deny, else the source's, else
    the destination's, else the share itself.
    """
    if closed(here, packet, start.connector.uid) or closed(there, packet):
        return Outcome("no_route")
    seen, own = here.owner(packet.destination), there.owner(packet.destination)
    if seen is None or own is None:
        # Shares that show equal addresses twice: ``check`` complains, and whose they are nobody can say.
        return Outcome("no_route")
    froms, _ = there.roster.naming(start.connector, start.attachment)
    first, second = first_match(here, start.froms & seen.tos, packet), first_match(there, froms & own.tos, packet)
    matched = [one for one in (first, second) if one is not None]
    chains = (first[1].services if first else (), passage.share.services, second[1].services if second else ())
    chain = tuple(dict.fromkeys(uid for some in chains for uid in some))
    return _ruled(here, packet, matched, chain, f"share/{passage.share.key}")


def decide_app(realm: Realm, app: App, packet: Packet) -> Outcome:
    """A flow from the internet to an application; the stance never covers it."""
    froms, tos = realm.roster.named((INTERNET,))[0], realm.roster.named((app.app.uid,))[1]
    matched = first_match(realm, froms & tos, packet)
    if matched is None:
        return Outcome("denied_by_stance")
    return _ruled(realm, packet, [matched], matched[1].services, "")


def first_match(realm: Realm, policies: int, packet: Packet) -> Matched | None:
    """The first rule of these policies (as bits) that matches and does not merely watch."""
    while policies:
        low = policies & -policies
        policies ^= low
        policy = realm.policies[low.bit_length() - 1]
        for rule in policy.rules:
            if rule.action != "watch" and matches(rule, packet, realm.prefixes):
                return policy, rule
    return None


def matches(rule: Rule | FirewallRule, packet: Packet, prefixes: PrefixResolver) -> bool:
    if not any(low <= packet.cell <= high for low, high in l4_ranges(rule.protocol, rule.ports)):
        return False
    source, destination = prefixes.ranges(rule.source), prefixes.ranges(rule.destination)
    return (source is None or contains(source, packet.source)) and (
        destination is None or contains(destination, packet.destination)
    )


def _ruled(realm: Realm, packet: Packet, matched: list[Matched], chain: tuple[str, ...], otherwise: str) -> Outcome:
    """What rules that matched (one of each policy list) make of a flow that passes this chain if none denies."""
    for policy, rule in matched:
        if rule.action == "deny":
            return Outcome("denied_by_rule", policy.rule_id(rule))
    name = matched[0][0].rule_id(matched[0][1]) if matched else otherwise
    alive, missing = living_chain(realm.exchanges, realm.services, chain)
    for nth, uid in enumerate(alive):
        if not _lets_through(realm.services[uid], packet, realm.prefixes):
            return Outcome("denied_by_service", name, alive[: nth + 1], uid)
    if missing:
        return Outcome("service_unavailable", name, alive, missing)
    return Outcome("delivered_inspected" if alive else "delivered", name, alive)


def _lets_through(service: Service, packet: Packet, prefixes: PrefixResolver) -> bool:
    for rule in service.firewall_rules:
        if matches(rule, packet, prefixes):
            return rule.action == "allow"
    return service.firewall_default == "allow"
