"""What a node must remember about a segment so that live flows keep meaning what they meant.

Connection marks outlive documents and the agent: the numbers in them (generation, chain, instance slot) are given once
and kept. A new decision text gets a new generation, which makes every live flow be decided again on its next packet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from provisioning.agent.marks import FIRST_CHAIN, LAST_CHAIN, LAST_SPEAKER, MOST_INSTANCES


@dataclass(frozen=True, slots=True)
class Memory:
    """chains: services of a chain joined by "," → its number; slots: instance id → slot among its service's;
    speakers: member → its number."""

    generation: int = 0
    digest: str = ""
    chains: Mapping[str, int] = field(default_factory=dict)
    slots: Mapping[str, int] = field(default_factory=dict)
    speakers: Mapping[str, int] = field(default_factory=dict)

    def hearing(self, speakers: Iterable[str]) -> Memory:
        """The same, with numbers for new speakers. Raises ValueError when there are too many."""
        wanted = sorted(set(speakers))
        numbers = dict(self.speakers)
        if len(numbers.keys() | wanted) > LAST_SPEAKER:
            numbers = {name: number for name, number in numbers.items() if name in wanted}
        for name in wanted:
            if len(numbers) == LAST_SPEAKER and name not in numbers:
                raise ValueError(f"more than {LAST_SPEAKER} attachments send from addresses of others")
            taken = set(numbers.values())
            numbers.setdefault(name, next(n for n in range(1, LAST_SPEAKER + 2) if n not in taken))
        return replace(self, speakers=numbers)

    def knowing(self, chains: Iterable[tuple[str, ...]], instances: Iterable[tuple[str, str]]) -> Memory:
        """The same, with numbers for new chains and for new instances (service, id)."""
        wanted = [",".join(chain) for chain in chains if chain]
        numbers = dict(self.chains)
        if len(numbers) + len(wanted) > LAST_CHAIN - FIRST_CHAIN:
            numbers = {name: number for name, number in numbers.items() if name in wanted}
        for name in wanted:
            if name not in numbers:
                numbers[name] = next(n for n in range(FIRST_CHAIN, LAST_CHAIN) if n not in numbers.values())
        slots = dict(self.slots)
        present = set(instances)
        for service, instance in sorted(present):
            if instance in slots:
                continue
            taken = {slots[other] for s, other in present if s == service and other in slots}
            free = [n for n in range(1, MOST_INSTANCES + 1) if n not in taken]
            retired = {number for name, number in slots.items() if name.startswith(f"{service}/")}
            slots[instance] = next((n for n in free if n not in retired), free[0] if free else 0)
        return replace(self, chains=numbers, slots=slots)

    def decided(self, digest: str) -> Memory:
        """The next generation when the decisions changed; 0 is never used, so a fresh connection is always decided."""
        if digest == self.digest and self.generation:
            return self
        return replace(self, generation=self.generation % 255 + 1, digest=digest)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
