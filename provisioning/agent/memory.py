"""What a node must remember about a segment so that live flows keep meaning what they meant.

Connection marks outlive documents and the agent: the numbers in them (generation, chain, instance slot) are given once
and kept. A new decision text gets a new generation, which makes every live flow be decided again on its next packet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from provisioning.agent.marks import FIRST_CHAIN, LAST_CHAIN, MOST_INSTANCES


@dataclass(frozen=True, slots=True)
class Memory:
    """chains: services of a chain joined by "," → its number; slots: instance id → slot among its service's."""

    generation: int = 0
    digest: str = ""
    chains: Mapping[str, int] = field(default_factory=dict)
    slots: Mapping[str, int] = field(default_factory=dict)

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
        return Memory(self.generation, self.digest, numbers, slots)

    def decided(self, digest: str) -> Memory:
        """The next generation when the decisions changed; 0 is never used, so a fresh connection is always decided."""
        if digest == self.digest and self.generation:
            return self
        return Memory(self.generation % 255 + 1, digest, self.chains, self.slots)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "chains": dict(self.chains), "slots": dict(self.slots)}
