"""The numbers in connection marks of a segment on a node, kept so that live flows keep their meaning.

Connection marks outlive documents and the agent: the numbers in them (generation, chain, instance slot) are given once
and kept. A new decision text gets a new generation, which makes every live flow be decided again on its next packet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from provisioning.agent.connection_labels import MAX_OVERLAPPING_SOURCES
from provisioning.agent.fwmarks import FIRST_CHAIN, LAST_CHAIN
from provisioning.core.node_document import MAX_INSTANCES_PER_PLACEMENT


@dataclass(frozen=True, slots=True)
class MarkAllocation:
    """chains: services of a chain joined by "," → its number; slots: instance id → slot among its service's;
    overlapping_sources: member that sends from addresses routed to another one → its number."""

    generation: int = 0
    digest: str = ""
    chains: Mapping[str, int] = field(default_factory=dict)
    slots: Mapping[str, int] = field(default_factory=dict)
    overlapping_sources: Mapping[str, int] = field(default_factory=dict)

    def with_overlapping_sources(self, overlapping_sources: Iterable[str]) -> MarkAllocation:
        """Return the same with numbers for new overlapping sources; raises ValueError when there are too many."""
        desired = sorted(set(overlapping_sources))
        # Agents before 2026-12 gave numbers to 127; those bits of the label are the DSCP's now.
        numbers = {name: n for name, n in self.overlapping_sources.items() if n <= MAX_OVERLAPPING_SOURCES}
        if len(numbers.keys() | desired) > MAX_OVERLAPPING_SOURCES:
            numbers = {name: number for name, number in numbers.items() if name in desired}
        for name in desired:
            if len(numbers) == MAX_OVERLAPPING_SOURCES and name not in numbers:
                raise ValueError(f"more than {MAX_OVERLAPPING_SOURCES} attachments send from addresses of others")
            taken = set(numbers.values())
            numbers.setdefault(name, next(n for n in range(1, MAX_OVERLAPPING_SOURCES + 2) if n not in taken))
        return replace(self, overlapping_sources=numbers)

    def with_chains(self, chains: Iterable[tuple[str, ...]], instances: Iterable[tuple[str, str]]) -> MarkAllocation:
        """Return the same with numbers for new chains and for new instances (service, id)."""
        desired = [",".join(chain) for chain in chains if chain]
        numbers = dict(self.chains)
        if len(numbers) + len(desired) > LAST_CHAIN - FIRST_CHAIN:
            numbers = {name: number for name, number in numbers.items() if name in desired}
        for name in desired:
            if name not in numbers:
                numbers[name] = next(n for n in range(FIRST_CHAIN, LAST_CHAIN) if n not in numbers.values())
        slots = dict(self.slots)
        present = set(instances)
        for service, instance in sorted(present):
            if instance in slots:
                continue
            taken = {slots[other] for s, other in present if s == service and other in slots}
            free = [n for n in range(1, MAX_INSTANCES_PER_PLACEMENT + 1) if n not in taken]
            retired = {number for name, number in slots.items() if name.startswith(f"{service}/")}
            slots[instance] = next((n for n in free if n not in retired), free[0] if free else 0)
        return replace(self, chains=numbers, slots=slots)

    def with_digest(self, digest: str) -> MarkAllocation:
        """Return the next generation when the decisions changed. 0 is never used: a new connection is decided."""
        if digest == self.digest and self.generation:
            return self
        return replace(self, generation=self.generation % 255 + 1, digest=digest)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> MarkAllocation:
        """Read what ``as_json`` wrote, or what an agent before 2026-12 wrote, which said ``speakers``."""
        return cls(**{"overlapping_sources" if name == "speakers" else name: part for name, part in value.items()})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
