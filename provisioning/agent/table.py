"""A segment's nftables table while it is written: sets and maps for each family of addresses, chains, counters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from provisioning.agent import ranges
from provisioning.agent.render_decision import Chains, Decision
from provisioning.agent.view import Segment, short
from provisioning.agent.wanted import Rules


class Table:
    def __init__(self, segment: Segment, decision: Decision) -> None:
        self.segment, self.decision = segment, decision
        self.sets: dict[str, str] = {}
        self.elements: dict[str, tuple[str, ...]] = {}
        self.chains: Chains = {}
        self.counters: dict[str, tuple[str, str]] = {}
        self.span_sets("inside", segment.inside)

    def rules(self, decided: Chains) -> Rules:
        """All of it, with the chains that decide."""
        for name, (family, elements) in self.decision.sets.items():
            self.named(name, f"set {{ type {family.address}; flags interval; }}", elements)
        return Rules(self.sets, self.elements, {**self.chains, **decided}, {**self.counters, **self.decision.counters})

    def named(self, name: str, declaration: str, elements: Iterable[str]) -> None:
        self.sets[name], self.elements[name] = declaration, tuple(elements)

    def span_sets(self, name: str, spans: ranges.Ranges) -> None:
        """``name`` holds the IPv4 ones and ``name6`` the others."""
        for family in self.segment.families:
            declaration = f"set {{ type {family.address}; flags interval; }}"
            self.named(f"{name}{family.suffix}", declaration, map(ranges.text, family.of(spans)))

    def counter(self, key: str, what: str = "bytes,packets") -> str:
        name = short("n", key)
        self.counters[name] = (f"{self.segment.tenant}|{key}", what)
        return name

    def counter_map(self, name: str, key_type: str, counters: Mapping[str, str]) -> None:
        self.named(name, f"map {{ type {key_type} : counter; }}", (f'{k} : "{c}"' for k, c in counters.items()))

    def each(self, text: str) -> Iterator[str]:
        """The rule once for each family; {ip} and {suffix} are the family's."""
        for family in self.segment.families:
            yield text.format(ip=family.ip, suffix=family.suffix)

    def blind(self, text: str) -> Iterator[str]:
        """The same, where a route policy keeps anything from a circuit here."""
        if any(circuit.link.get("blind") for circuit in self.segment.attached):
            yield from self.each(text)
