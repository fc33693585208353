"""The decisions of a segment as nft chains: rules in order, stance, service chains, and what becomes of live flows.

Every test is on the connection's original tuple, so a decision can be made again for any packet in any direction.
The outcome is written into the connection mark; ``steer`` reads it for every packet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from provisioning.agent import marks, ranges
from provisioning.agent.memory import Memory
from provisioning.agent.view import Segment, short

Chains = dict[str, tuple[str, tuple[str, ...]]]
CHANGED = f"ct mark and {marks.VERDICT:#x}"


class Decision:
    """Collects the sets, chains and counters that one segment's rules need."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.sets: dict[str, tuple[str, ...]] = {}
        self.counters: dict[str, tuple[str, str]] = {}
        self.any = self.span_set(ranges.union(r for m in segment.members for r in m["ranges"]))
        self.body: list[str] = []
        self.outcomes: list[tuple[str, tuple[str, ...] | None, bool]] = []
        self.hits: Chains = {}
        self._rules()

    def span_set(self, spans: tuple[ranges.Range, ...]) -> str:
        """A set of addresses, named by its content: policies that mean the same addresses share it."""
        elements = tuple(map(ranges.text, spans))
        name = short("a", ",".join(elements))
        self.sets[name] = elements
        return name

    def counter(self, key: str, what: str) -> str:
        name = short("n", key)
        self.counters[name] = (f"{self.segment.tenant}|{key}", what)
        return name

    # -- rules ---------------------------------------------------------------------------------------------------

    def _rules(self) -> None:
        for rule in self.segment.body["rules"]:
            outcome = self._outcome(rule)
            name = self.counter(f"rule/{self.segment.name}/{rule['id']}|hits", "packets")
            for match in self._matches(rule):
                if outcome is None:
                    self.body.append(f"{CHANGED} 0 {match} counter name {name}")
                else:
                    chain = short("hit", f"{name}{outcome}")
                    self.hits[chain] = ("", (f"{CHANGED} 0 counter name {name}", f"goto {outcome}"))
                    self.body.append(f"{match} goto {chain}")
        if self.segment.body["stance"] == "open":
            allow = self._register((), False)
            self.body.append(f"ct original ip saddr @{self.any} ct original ip daddr @{self.any} goto {allow}")
        stance = self.counter(f"stance/{self.segment.name}|denied", "packets")
        deny = self._register(None, False)
        self.body += [f"counter name {stance}", f"goto {deny}"]

    def _outcome(self, rule: Mapping[str, Any]) -> str | None:
        action = rule["action"]
        if action == "watch":
            return None
        later = rule.get("apply_to", "all") == "new"
        if action == "deny":
            return self._register(None, later)
        if action == "allow":
            return self._register((), later)
        services = self.segment.body.get("services", {})
        chain: list[str] = []
        for key in rule["chain"]:
            service = services.get(key, {"instances": (), "on_failure": "closed"})
            if service["instances"]:
                chain.append(key)
            elif service["on_failure"] == "closed":
                return self._register(None, later)
        return self._register(tuple(chain), later)

    def _register(self, chain: tuple[str, ...] | None, later: bool) -> str:
        word = "deny" if chain is None else "pass" if not chain else short("via", ",".join(chain))
        name = f"{word}_new" if later else word
        if (name, chain, later) not in self.outcomes:
            self.outcomes.append((name, chain, later))
        return name

    def _matches(self, rule: Mapping[str, Any]) -> Iterator[str]:
        """The nft expressions of a rule; one for each combination of addresses with and without the internet."""
        protocol = self._protocol(rule)
        for source in self._sides(rule["from"], rule.get("source"), "saddr"):
            for destination in self._sides(rule["to"], rule.get("destination"), "daddr"):
                inside = "!=" not in source or "!=" not in destination
                if inside:
                    yield " ".join(filter(None, (source, destination, protocol)))

    def _sides(self, names: list[str], narrowed: list[str] | None, which: str) -> Iterator[str]:
        groups = [name for name in names if name != "internet"]
        limit = ranges.union(narrowed) if narrowed is not None else None
        if groups:
            spans = ranges.union(r for name in groups for r in self.segment.body["sets"].get(name, ()))
            if limit is not None:
                spans = ranges.intersection(spans, limit)
            if spans:
                yield f"ct original ip {which} @{self.span_set(spans)}"
        if "internet" in names:
            outside = f"ct original ip {which} != @{self.any}"
            yield outside if limit is None else f"{outside} ct original ip {which} @{self.span_set(limit)}"

    def _protocol(self, rule: Mapping[str, Any]) -> str:
        protocol = str(rule.get("protocol") or "any")
        if protocol == "any":
            return ""
        ports = rule.get("ports") or []
        if protocol in ("tcp", "udp", "sctp") and ports and "any" not in ports:
            return f"meta l4proto {protocol} ct original proto-dst {{ {', '.join(map(str, ports))} }}"
        return f"meta l4proto {protocol}"

    # -- with the numbers that connections remember -------------------------------------------------------------------

    def digest(self, memory: Memory) -> str:
        """Of everything that can change a decision; a new one starts a new generation."""
        text = repr((sorted(self.sets.items()), self.body, self.outcomes, sorted(self._steering(memory).items())))
        return hashlib.sha256(text.encode()).hexdigest()

    def chains(self, memory: Memory) -> Chains:
        found: Chains = {"rules": ("", tuple(self.body)), **self.hits, **self._steering(memory)}
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
                continue
            chains[f"chain_{number}"] = ("", tuple(_steps(services, present)))
            jumps.append(f"{number << 16:#x} : goto chain_{number}")
        chains["steer"] = ("", (f"{CHANGED} vmap {{ {', '.join(jumps)} }}", "goto refuse"))
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
    yield f"meta mark {marks.DECIDE:#x} ct direction original {to(0)}"
    yield f"meta mark {marks.DECIDE:#x} ct direction reply {to(last)}"
    for position, service in enumerate(services):
        came = "meta mark { " + ", ".join(f"{marks.BACK | i:#x}" for i in sorted(present[service].values())) + " }"
        onward = "goto deliver" if position == last else to(position + 1)
        back = "goto deliver" if position == 0 else to(position - 1)
        yield f"{came} ct direction original {onward}"
        yield f"{came} ct direction reply {back}"
    yield "goto refuse"


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
