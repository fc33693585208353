"""The decision about one flow: first match over the policies of a segment, then the services it is sent through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisioning.core.addresses import span
from provisioning.core.fabric import placed_at
from provisioning.core.flows import cells
from provisioning.core.intent import INTERNET, Intent, Policy, Rule, Service
from provisioning.core.realm import Member, Realm

DELIVERED = frozenset({"delivered", "delivered_inspected"})


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


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a flow; ``cell`` says protocol and port (see flows)."""

    source: int
    destination: int
    cell: int


def matches(prefixes: Sequence[str], address: int) -> bool:
    """An empty list matches every address."""
    return not prefixes or any(low <= address <= high for low, high in map(span, prefixes))


def matches_cell(protocol: str | int, ports: tuple[str, ...], cell: int) -> bool:
    return any(low <= cell <= high for low, high in cells(protocol, ports))


def living_chain(intent: Intent, services: Sequence[str]) -> tuple[tuple[str, ...], str | None]:
    """The services of a chain that have instances, and the first that has none and therefore stops the flow."""
    passed: list[str] = []
    for uid in services:
        service = intent.services.get(uid)
        if service is not None and placed_at(intent, service):
            passed.append(uid)
        elif service is None or service.on_failure == "closed":
            return tuple(passed), uid
    return tuple(passed), None


def decide(realm: Realm, start: Member, end: Member | None, packet: Packet) -> Outcome:
    """The outcome of a flow between two members; ``end`` None is the internet behind an exit."""
    for place, policy in enumerate(realm.policies):
        if start.froms >> place & 1 and (INTERNET in policy.to if end is None else end.tos >> place & 1):
            for rule in policy.rules:
                if rule.action != "watch" and _rule_matches(rule, packet):
                    return _decided(realm.intent, policy, rule, packet)
    if end is not None and realm.segment.stance == "open":
        return Outcome("delivered")
    return Outcome("denied_by_stance")


def _rule_matches(rule: Rule, packet: Packet) -> bool:
    return (
        matches_cell(rule.protocol, rule.ports, packet.cell)
        and matches(rule.source, packet.source)
        and matches(rule.destination, packet.destination)
    )


def _decided(intent: Intent, policy: Policy, rule: Rule, packet: Packet) -> Outcome:
    name = policy.rule_id(rule)
    if rule.action == "deny":
        return Outcome("denied_by_rule", name)
    if rule.action == "allow":
        return Outcome("delivered", name)
    chain, missing = living_chain(intent, rule.services)
    for nth, uid in enumerate(chain):
        if not _lets_through(intent.services[uid], packet):
            return Outcome("denied_by_service", name, chain[: nth + 1], uid)
    if missing:
        return Outcome("service_unavailable", name, chain, missing)
    return Outcome("delivered_inspected" if chain else "delivered", name, chain)


def _lets_through(service: Service, packet: Packet) -> bool:
    for rule in service.firewall_rules:
        if (
            matches_cell(rule.protocol, rule.ports, packet.cell)
            and matches(rule.source, packet.source)
            and matches(rule.destination, packet.destination)
        ):
            return rule.action == "allow"
    return service.firewall_default == "allow"
