"""What becomes of a flow as nft chains: outcomes, the service chains they steer through, and live flows decided again.

The policies (render_policies.py) end in outcomes. An outcome is written into the connection mark, which ``steer``
reads for every packet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from provisioning.agent import fwmarks
from provisioning.agent.address_families import AddressFamily, AddressRanges
from provisioning.agent.desired import NftCounter
from provisioning.agent.mark_allocation import MarkAllocation
from provisioning.agent.nft_names import content_named_set, hashed_name
from provisioning.agent.parsed_segment import ParsedSegment
from provisioning.core.node_document_rules import RuleEntry
from provisioning.core.values.counter_key import CounterKey
from provisioning.core.values.rendezvous import rendezvous_weight

Chains = dict[str, tuple[str, tuple[str, ...]]]
MATCH_VERDICT = f"ct mark and {fwmarks.VERDICT_MASK:#x}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a flow. services: that it passes; None: it is denied. new_only: flows that are there stay."""

    services: tuple[str, ...] | None
    new_only: bool
    is_silent: bool = False


class DecisionChains:
    """The sets, chains and counters that one segment's rules need.

    sets: name → (family, elements). rule_chains: chain → its nft rules, as policies want them; they end in outcomes.
    outcomes: by the nft chain that carries them out.
    """

    def __init__(self, segment: ParsedSegment) -> None:
        self.segment = segment
        self.sets: dict[str, tuple[AddressFamily, tuple[str, ...]]] = {}
        self.counters: dict[str, NftCounter] = {}
        self.rule_chains: dict[str, tuple[str, ...]] = {}
        self.outcomes: dict[str, Outcome] = {}
        self._names: dict[tuple[str, AddressRanges], str] = {}

    def address_set(self, ranges: AddressRanges, family: AddressFamily) -> str:
        """Return the name of a set of one family's addresses. It is named by its content: policies that mean the same
        addresses share it."""
        selected = family.select(ranges)
        if (family.ip, selected) not in self._names:
            name, elements = content_named_set(selected, family)
            self._names[family.ip, selected] = name
            self.sets[name] = family, elements
        return self._names[family.ip, selected]

    def packet_counter(self, key: CounterKey) -> str:
        """Declare a counter of packets and return its name in nftables."""
        counter = NftCounter(self.segment.tenant, key, packets_only=True)
        self.counters[counter.name] = counter
        return counter.name

    def hit_counter_chain(self, counter: str, outcome: str | None) -> str:
        """Return the name of a chain that counts a new flow and goes on to the outcome, or with None back to where the
        tier was begun."""
        chain = hashed_name("hit", f"{counter}{outcome or ''}")
        onward = (f"goto {outcome}",) if outcome else ()
        self.rule_chains[chain] = (f"{MATCH_VERDICT} 0 counter name {counter}", *onward)
        return chain

    # -- outcomes ------------------------------------------------------------------------------------------------------

    def rule_outcome_chain(self, rule: RuleEntry) -> str:
        """Return the chain that carries out what a rule says."""
        new_only = rule["apply_to"] == "new"
        if rule["action"] == "deny" and not rule["reject"]:
            return self._declare_outcome("discard", Outcome(None, new_only, is_silent=True))
        return self.outcome_chain(self.services_of(rule), new_only)

    def services_of(self, rule: RuleEntry) -> tuple[str, ...] | None:
        """Return the services a rule sends flows through; None where it denies, or a service it needs is missing."""
        if rule["action"] == "deny":
            return None
        return self.available_services(rule["chain"]) if rule["action"] == "inspect" else ()

    def available_services(self, service_chain: Iterable[str]) -> tuple[str, ...] | None:
        """Return the services that have instances; None when one that has none fails closed."""
        services = self.segment.section.body["services"]
        available: list[str] = []
        for key in service_chain:
            # The node's own section may be older than the shared one, and not know the service yet.
            service = services.get(key)
            if service and service["instances"]:
                available.append(key)
            elif service is None or service["on_failure"] == "closed":
                return None
        return tuple(available)

    def outcome_chain(self, service_chain: tuple[str, ...] | None, new_only: bool) -> str:
        """Return the name of the nft chain of an outcome: denied (None), let pass (()), or sent through services."""
        word = "deny" if service_chain is None else "pass"
        if service_chain:
            word = hashed_name("via", ",".join(service_chain))
        return self._declare_outcome(word, Outcome(service_chain, new_only))

    def _declare_outcome(self, word: str, outcome: Outcome) -> str:
        name = f"{word}_new" if outcome.new_only else word
        self.outcomes[name] = outcome
        return name

    # -- with the numbers that connections remember -------------------------------------------------------------------

    def digest(self, mark_allocation: MarkAllocation) -> str:
        """Return a digest of everything that can change a decision; another one starts a new generation."""
        sets = sorted((name, elements) for name, (_, elements) in self.sets.items())
        text = repr(
            (
                sets,
                sorted(self.rule_chains.items()),
                [*self.outcomes.items()],
                sorted(self._steer_chains(mark_allocation).items()),
            )
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def chains(self, mark_allocation: MarkAllocation) -> Chains:
        """Return all chains, with the numbers that connections carry."""
        chains: Chains = {
            **{name: ("", lines) for name, lines in self.rule_chains.items()},
            **self._steer_chains(mark_allocation),
        }
        for name, outcome in self.outcomes.items():
            chains[name] = ("", tuple(self._outcome_rules(outcome, mark_allocation)))
        return chains

    def service_chains(self) -> list[tuple[str, ...]]:
        return [outcome.services for outcome in self.outcomes.values() if outcome.services]

    def _outcome_rules(self, outcome: Outcome, mark_allocation: MarkAllocation) -> Iterator[str]:
        """Yield what a decision does to a connection: fresh, decided alike before, or decided otherwise before."""
        now, service_chain = mark_allocation.generation, outcome.services
        denied_verdict = fwmarks.DROPPED if outcome.is_silent else fwmarks.DENIED
        denied = f"ct mark set {fwmarks.connection_mark(now, denied_verdict):#x} goto steer"
        keep = f"ct mark set ct mark and {0xFFFFFFFF ^ fwmarks.GENERATION_MASK:#x} or {now << 24:#x} goto steer"
        undecided_or_denied = f"{{ 0x0, {fwmarks.DENIED << 16:#x}, {fwmarks.DROPPED << 16:#x} }}"
        if outcome.new_only:
            yield f"{MATCH_VERDICT} != {undecided_or_denied} {keep}"
        if service_chain is None:
            yield denied
            return
        if not service_chain:
            fresh = f"ct mark set {fwmarks.connection_mark(now, fwmarks.ALLOWED):#x}"
            yield f"{MATCH_VERDICT} {fwmarks.ALLOWED << 16:#x} {keep}"
        else:
            number = mark_allocation.chains[",".join(service_chain)]
            combinations = pick_instances(self.segment, service_chain, mark_allocation)
            alive = ", ".join(
                f"{slots | number << 16:#x}" for slots in sorted(self._pinnable_slots(service_chain, mark_allocation))
            )
            yield f"ct mark and {fwmarks.VERDICT_MASK | fwmarks.INSTANCE_SLOTS_MASK:#x} {{ {alive} }} {keep}"
            table = ", ".join(
                f"{bucket} : {fwmarks.connection_mark(now, number, slots):#x}"
                for bucket, slots in enumerate(combinations)
            )
            fresh = f"ct mark set symhash mod {fwmarks.HASH_BUCKETS} map {{ {table} }}"
            # A firewall refuses the middle of a connection it never saw begin, so the ends are told at once.
            yield f"{MATCH_VERDICT} 0x0 meta l4proto tcp tcp flags & (syn | rst) == 0x0 {denied}"
        yield f"{MATCH_VERDICT} != {undecided_or_denied} meta l4proto tcp {denied}"
        yield f"{fresh} goto steer"

    def _pinnable_slots(self, service_chain: tuple[str, ...], mark_allocation: MarkAllocation) -> set[int]:
        """Return every combination of present instances a flow may be pinned to."""
        combinations = {0}
        for position, service in enumerate(service_chain):
            slots = [
                mark_allocation.slots[instance["id"]] for key, instance in self.segment.instances if key == service
            ]
            combinations = {earlier | slot << 4 * position for earlier in combinations for slot in slots}
        return combinations

    def _steer_chains(self, mark_allocation: MarkAllocation) -> Chains:
        """Return which instance a packet goes to next, by direction and by the instance it comes from, for every
        service chain ever used here."""
        present: dict[str, dict[int, int]] = {}
        for service, instance in self.segment.instances:
            present.setdefault(service, {})[mark_allocation.slots[instance["id"]]] = instance["index"]
        chains: Chains = {}
        jumps = [
            f"{fwmarks.DENIED << 16:#x} : goto refuse",
            f"{fwmarks.DROPPED << 16:#x} : drop",
            f"{fwmarks.ALLOWED << 16:#x} : goto deliver",
        ]
        for names, number in sorted(mark_allocation.chains.items(), key=lambda item: item[1]):
            services = names.split(",")
            if not all(present.get(service) for service in services):
                jumps.append(f"{number << 16:#x} : goto refuse")
                continue
            chains[f"chain_{number}"] = ("", tuple(_service_hop_rules(services, present)))
            jumps.append(f"{number << 16:#x} : goto chain_{number}")
        # A packet that was among the old rules while new ones came finds nothing here; it is sent again.
        chains["steer"] = ("", (f"{MATCH_VERDICT} vmap {{ {', '.join(jumps)} }}", "drop"))
        return chains


def _service_hop_rules(services: list[str], present: Mapping[str, Mapping[int, int]]) -> Iterator[str]:
    def to(position: int) -> str:
        shift = 4 * position
        table = ", ".join(
            f"{slot << shift:#x} : {fwmarks.TO_INSTANCE | index:#x}"
            for slot, index in sorted(present[services[position]].items())
        )
        return f"meta mark set ct mark and {0xF << shift:#x} map {{ {table} }} accept"

    last = len(services) - 1
    fresh = f"meta mark and {fwmarks.ACTION_MASK:#x} {fwmarks.DECIDE:#x}"
    yield f"{fresh} ct direction original {to(0)}"
    yield f"{fresh} ct direction reply {to(last)}"
    for position, service in enumerate(services):
        came = (
            "meta mark { "
            + ", ".join(f"{fwmarks.FROM_INSTANCE | i:#x}" for i in sorted(present[service].values()))
            + " }"
        )
        onward = "goto deliver" if position == last else to(position + 1)
        back = "goto deliver" if position == 0 else to(position - 1)
        yield f"{came} ct direction original {onward}"
        yield f"{came} ct direction reply {back}"
    yield "drop"


def pick_instances(
    segment: ParsedSegment, service_chain: tuple[str, ...], mark_allocation: MarkAllocation
) -> list[int]:
    """Return, for each of the buckets flows are hashed into, the slots of the instances its flows cross.

    Rendezvous hashing (core/values/rendezvous.py): when instances come and go, only their buckets change hands.
    Instances in this node's exchange are preferred.
    """
    exchange = segment.exchange_of(segment.node)
    buckets = [0] * fwmarks.HASH_BUCKETS
    for position, service in enumerate(service_chain):
        instances = [instance for key, instance in segment.instances if key == service]
        near = [instance for instance in instances if segment.exchange_of(instance["host"]) == exchange] or instances
        for bucket in range(fwmarks.HASH_BUCKETS):
            best = max(near, key=lambda instance: rendezvous_weight(service, instance["id"], bucket))
            buckets[bucket] |= mark_allocation.slots[best["id"]] << 4 * position
    return buckets
