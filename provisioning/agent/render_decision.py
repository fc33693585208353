"""What becomes of a flow as nft chains: outcomes, the service chains they steer through, and live flows decided again.

The policies (render_policy.py) end in outcomes. An outcome is written into the connection mark; ``steer`` reads it for
every packet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provisioning.agent import marks, ranges
from provisioning.agent.memory import Memory
from provisioning.agent.view import Segment, short

Chains = dict[str, tuple[str, tuple[str, ...]]]
CHANGED = f"ct mark and {marks.VERDICT:#x}"


class Decision:
    """Collects the sets, chains and counters that one segment's rules need.

    lists: chain → its rules, as policies want them; they end in outcomes.
    """

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.sets: dict[str, tuple[ranges.Family, tuple[str, ...]]] = {}
        self.counters: dict[str, tuple[str, str]] = {}
        self.lists: dict[str, tuple[str, ...]] = {}
        self.outcomes: list[tuple[str, tuple[str, ...] | None, bool]] = []
        self._names: dict[tuple[str, ranges.Ranges], str] = {}
        self.inside = self.span_set(segment.inside, ranges.IP4)

    def span_set(self, spans: ranges.Ranges, family: ranges.Family) -> str:
        """A set of one family's addresses, named by its content: policies that mean the same addresses share it."""
        here = family.of(spans)
        if (family.ip, here) not in self._names:
            elements = tuple(map(ranges.text, here))
            name = self._names[family.ip, here] = short(f"a{family.suffix}", ",".join(elements))
            self.sets[name] = family, elements
        return self._names[family.ip, here]

    def counter(self, key: str, what: str) -> str:
        name = short("n", key)
        self.counters[name] = (f"{self.segment.tenant}|{key}", what)
        return name

    def hit(self, counter: str, outcome: str) -> str:
        """A chain that counts a new flow and goes on to the outcome."""
        chain = short("hit", f"{counter}{outcome}")
        self.lists[chain] = (f"{CHANGED} 0 counter name {counter}", f"goto {outcome}")
        return chain

    # -- outcomes ------------------------------------------------------------------------------------------------------

    def outcome(self, rule: Mapping[str, Any]) -> str | None:
        """The chain that carries out what a rule says; None for one that only watches."""
        if rule["action"] == "watch":
            return None
        return self.register(self.chain_of(rule), rule.get("apply_to", "all") == "new")

    def chain_of(self, rule: Mapping[str, Any]) -> tuple[str, ...] | None:
        """The services a rule sends flows through; None when it denies, itself or because a service is missing."""
        if rule["action"] == "deny":
            return None
        return self.living(rule["chain"]) if rule["action"] == "inspect" else ()

    def living(self, chain: Iterable[str]) -> tuple[str, ...] | None:
        """The services that have instances; None when one that has none fails closed."""
        services = self.segment.body.get("services", {})
        found: list[str] = []
        for key in chain:
            service = services.get(key, {"instances": (), "on_failure": "closed"})
            if service["instances"]:
                found.append(key)
            elif service["on_failure"] == "closed":
                return None
        return tuple(found)

    def register(self, chain: tuple[str, ...] | None, later: bool) -> str:
        """The name of the chain for an outcome: denied (None), let pass (()), or sent through services."""
        word = "deny" if chain is None else "pass" if not chain else short("via", ",".join(chain))
        name = f"{word}_new" if later else word
        if (name, chain, later) not in self.outcomes:
            self.outcomes.append((name, chain, later))
        return name

    # -- with the numbers that connections remember -------------------------------------------------------------------

    def digest(self, memory: Memory) -> str:
        """Of everything that can change a decision; a new one starts a new generation."""
        sets = sorted((name, elements) for name, (_, elements) in self.sets.items())
        text = repr((sets, sorted(self.lists.items()), self.outcomes, sorted(self._steering(memory).items())))
        return hashlib.sha256(text.encode()).hexdigest()

    def chains(self, memory: Memory) -> Chains:
        found: Chains = {**{name: ("", lines) for name, lines in self.lists.items()}, **self._steering(memory)}
        for name, chain, later in self.outcomes:
            found[name] = ("", tuple(self._verdict(chain, later, memory)))
        return found

    def wanted_chains(self) -> list[tuple[str, ...]]:
        return [chain for _, chain, _ in self.outcomes if chain]

    def _verdict(self, chain: tuple[str, ...] | None, later: bool, memory: Memory) -> Iterator[str]:
        """What a decision does to a connection: fresh, decided alike before, or decided otherwise before."""
        now = memory.generation
        denied = f"ct mark set {marks.connection(now, marks.DENIED):#x} goto steer"
        keep = f"ct mark set ct mark and {0xFFFFFFFF ^ marks.GENERATION:#x} or {now << 24:#x} goto steer"
        settled = f"{{ 0x0, {marks.DENIED << 16:#x} }}"
        if later:
            yield f"{CHANGED} != {settled} {keep}"
        if chain is None:
            yield denied
            return
        if not chain:
            fresh = f"ct mark set {marks.connection(now, marks.PLAIN):#x}"
            yield f"{CHANGED} {marks.PLAIN << 16:#x} {keep}"
        else:
            number = memory.chains[",".join(chain)]
            combinations = pick(self.segment, chain, memory)
            alive = ", ".join(f"{slots | number << 16:#x}" for slots in sorted(self._alive(chain, memory)))
            yield f"ct mark and {marks.VERDICT | marks.SLOTS:#x} {{ {alive} }} {keep}"
            table = ", ".join(
                f"{bucket} : {marks.connection(now, number, slots):#x}" for bucket, slots in enumerate(combinations)
            )
            fresh = f"ct mark set symhash mod {marks.BUCKETS} map {{ {table} }}"
            # A firewall refuses the middle of a connection it never saw begin, so the ends are told at once.
            yield f"{CHANGED} 0x0 meta l4proto tcp tcp flags & (syn | rst) == 0x0 {denied}"
        yield f"{CHANGED} != {settled} meta l4proto tcp {denied}"
        yield f"{fresh} goto steer"

    def _alive(self, chain: tuple[str, ...], memory: Memory) -> set[int]:
        """Every combination of present instances a flow may be pinned to."""
        found = {0}
        for position, service in enumerate(chain):
            slots = [memory.slots[i["id"]] for key, i in self.segment.instances if key == service]
            found = {so_far | slot << 4 * position for so_far in found for slot in slots}
        return found

    def _steering(self, memory: Memory) -> Chains:
        """For every chain ever used here: which instance a packet goes to next, by direction and by where it was."""
        present: dict[str, dict[int, int]] = {}
        for service, instance in self.segment.instances:
            present.setdefault(service, {})[memory.slots[instance["id"]]] = int(instance["index"])
        chains: Chains = {}
        jumps = [f"{marks.DENIED << 16:#x} : goto refuse", f"{marks.PLAIN << 16:#x} : goto deliver"]
        for names, number in sorted(memory.chains.items(), key=lambda item: item[1]):
            services = names.split(",")
            if not all(present.get(service) for service in services):
                jumps.append(f"{number << 16:#x} : goto refuse")
                continue
            chains[f"chain_{number}"] = ("", tuple(_steps(services, present)))
            jumps.append(f"{number << 16:#x} : goto chain_{number}")
        # A packet that was among the old rules while new ones came finds nothing here; it is sent again.
        chains["steer"] = ("", (f"{CHANGED} vmap {{ {', '.join(jumps)} }}", "drop"))
        return chains


def _steps(services: list[str], present: Mapping[str, Mapping[int, int]]) -> Iterator[str]:
    def to(position: int) -> str:
        shift = 4 * position
        table = ", ".join(
            f"{slot << shift:#x} : {marks.INSTANCE | index:#x}"
            for slot, index in sorted(present[services[position]].items())
        )
        return f"meta mark set ct mark and {0xF << shift:#x} map {{ {table} }} accept"

    last = len(services) - 1
    fresh = f"meta mark and {marks.VERB:#x} {marks.DECIDE:#x}"
    yield f"{fresh} ct direction original {to(0)}"
    yield f"{fresh} ct direction reply {to(last)}"
    for position, service in enumerate(services):
        came = "meta mark { " + ", ".join(f"{marks.BACK | i:#x}" for i in sorted(present[service].values())) + " }"
        onward = "goto deliver" if position == last else to(position + 1)
        back = "goto deliver" if position == 0 else to(position - 1)
        yield f"{came} ct direction original {onward}"
        yield f"{came} ct direction reply {back}"
    yield "drop"


def pick(segment: Segment, chain: tuple[str, ...], memory: Memory) -> list[int]:
    """For each of the buckets flows are hashed into, the slots of the instances its flows cross.

    Rendezvous hashing: when instances come and go, only the buckets of those change hands. Instances in this node's
    exchange are preferred.
    """
    here = segment.exchange_of(segment.node)
    buckets = [0] * marks.BUCKETS
    for position, service in enumerate(chain):
        all_of_it = [instance for key, instance in segment.instances if key == service]
        near = [instance for instance in all_of_it if segment.exchange_of(instance["host"]) == here] or all_of_it
        for bucket in range(marks.BUCKETS):
            best = max(near, key=lambda instance: _weight(service, instance["id"], bucket))
            buckets[bucket] |= memory.slots[best["id"]] << 4 * position
    return buckets


def _weight(service: str, instance: str, bucket: int) -> bytes:
    return hashlib.sha256(f"{service} {instance} {bucket}".encode()).digest()
