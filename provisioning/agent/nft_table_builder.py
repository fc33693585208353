"""A segment's nftables table while it is written: sets and maps for each family of addresses, chains, counters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from provisioning.agent.address_families import AddressRanges, nft_interval
from provisioning.agent.desired import NftCounter, NftTable
from provisioning.agent.parsed_segment import ParsedSegment
from provisioning.agent.render_decision import Chains, DecisionChains
from provisioning.core.values.counter_key import CounterKey


class NftTableBuilder:
    def __init__(self, segment: ParsedSegment, decision: DecisionChains) -> None:
        self.segment, self.decision = segment, decision
        self.sets: dict[str, str] = {}
        self.elements: dict[str, tuple[str, ...]] = {}
        self.chains: Chains = {}
        self.counters: dict[str, NftCounter] = {}
        self.declare_address_sets("inside", segment.internal_ranges)

    def rules(self, decided: Chains) -> NftTable:
        """Return all of it, with the chains that decide."""
        for name, (family, elements) in self.decision.sets.items():
            self.declare_set(name, f"set {{ type {family.address}; flags interval; }}", elements)
        return NftTable(
            self.sets, self.elements, {**self.chains, **decided}, {**self.counters, **self.decision.counters}
        )

    def declare_set(self, name: str, declaration: str, elements: Iterable[str]) -> None:
        self.sets[name], self.elements[name] = declaration, tuple(elements)

    def declare_address_sets(self, name: str, ranges: AddressRanges) -> None:
        """Declare a set for each family: ``name`` for IPv4 and ``name6`` for IPv6."""
        for family in self.segment.families:
            declaration = f"set {{ type {family.address}; flags interval; }}"
            self.declare_set(f"{name}{family.suffix}", declaration, map(nft_interval, family.select(ranges)))

    def counter(self, key: CounterKey, *, packets_only: bool = False) -> str:
        """Declare a counter and return its name in nftables."""
        counter = NftCounter(self.segment.tenant, key, packets_only)
        self.counters[counter.name] = counter
        return counter.name

    def declare_counter_map(self, name: str, key_type: str, counters: Mapping[str, str]) -> None:
        self.declare_set(name, f"map {{ type {key_type} : counter; }}", (f'{k} : "{c}"' for k, c in counters.items()))

    def per_family(self, text: str) -> Iterator[str]:
        """Yield the rule once for each family; {ip} and {suffix} are the family's."""
        for family in self.segment.families:
            yield text.format(ip=family.ip, suffix=family.suffix)

    def filtered_routes(self, text: str) -> Iterator[str]:
        """Yield the same where a route policy keeps any route from a circuit here."""
        if any(circuit.link["filtered_routes"] for circuit in self.segment.site_circuits):
            yield from self.per_family(text)
