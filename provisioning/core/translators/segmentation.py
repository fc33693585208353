"""Rules that all have to agree, as tiers.

Where egress of the source and ingress of the destination both have to allow a flow, egress is the standard tier, which
passes what it allows on, and ingress the baseline tier. In each, denials come first, then what is allowed, then the
denial of everything else for who is isolated. What nobody isolates is open, as between pods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from provisioning.core.intent.fields import ANY, INTERNET
from provisioning.core.translators.translation import PortMatch, TranslationBuilder, is_private

Direction = Literal["ingress", "egress"]
_TIERS: dict[Direction, str] = {"egress": "standard", "ingress": "baseline"}
EVERY_PORT: Sequence[PortMatch] = (("any", ()),)


@dataclass(frozen=True, slots=True)
class Peers:
    """Who is at the other end: groups, ``any`` and ``internet``, and besides addresses, whoever has them."""

    names: Sequence[str] = ()
    prefixes: Sequence[str] = ()


@dataclass(slots=True)
class Segmentation:
    """Collects policies of one segment in the order they are tried."""

    builder: TranslationBuilder
    segment: str
    _policies: dict[tuple[Direction, bool], list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)
    _isolated: dict[Direction, dict[str, None]] = field(default_factory=dict)

    def isolate(self, direction: Direction, group: str) -> None:
        """Deny what no rule of this direction allows the group."""
        self._isolated.setdefault(direction, {})[group] = None

    def add(
        self,
        name: str,
        place: str,
        direction: Direction,
        group: str,
        peers: Peers,
        ports: Sequence[PortMatch] = EVERY_PORT,
        *,
        denies: bool = False,
    ) -> None:
        """Allow, or deny, the group these ports with these peers."""
        ends: list[tuple[list[str], list[str]]] = [(list(peers.names), [])] if peers.names else []
        if peers.prefixes:
            ends.append((self._ends_of(peers.prefixes, direction, place), list(peers.prefixes)))
        for other, prefixes in ends:
            from_, to = ([group], other) if direction == "egress" else (other, [group])
            action = "deny" if denies else "pass" if direction == "egress" else "allow"
            side = "destination" if direction == "egress" else "source"
            match = {side: self.builder.addresses(prefixes, f"{name} addresses")} if prefixes else {}
            rules = [_rule(action, {**self.builder.ports(ports, f"{name} ports"), **match})]
            body = {"description": place, "from": from_, "to": to, "rules": rules}
            self._policies.setdefault((direction, denies), []).append((name, body))

    def finish(self) -> None:
        if not self._policies and not self._isolated:
            return
        for direction in ("egress", "ingress"):
            for denies in (True, False):
                for name, body in self._policies.get((direction, denies), ()):
                    self._add_policy(direction, name, body)
            if isolated := list(self._isolated.get(direction, ())):
                everyone = [ANY, INTERNET] if direction == "egress" else [ANY]
                from_, to = (isolated, everyone) if direction == "egress" else (everyone, isolated)
                rules = [_rule("deny", {})]
                self._add_policy(
                    direction, f"{direction} of who is isolated", {"from": from_, "to": to, "rules": rules}
                )
        rules = [_rule("allow", {})]
        self._add_policy("ingress", "internet for the others", {"from": [ANY], "to": [INTERNET], "rules": rules})

    def _add_policy(self, direction: Direction, name: str, body: dict[str, Any]) -> None:
        rules = body.pop("rules")
        self.builder.add_policies(name, rules, tier=_TIERS[direction], segments=[self.segment], **body)

    def _ends_of(self, prefixes: Sequence[str], direction: Direction, place: str) -> list[str]:
        """Return whose addresses these may be."""
        if all(map(is_private, prefixes)):
            return [ANY]
        if direction == "egress":
            return [ANY, INTERNET]
        why = "From the internet only an internet application is reached."
        remedy = "Draw an application for what the internet may reach, and a policy from internet to it."
        self.builder.note("left_out", place, f"from {', '.join(prefixes[:5])}", why, remedy)
        return [ANY]


def _rule(action: str, match: dict[str, Any]) -> dict[str, Any]:
    # What a network policy denies vanishes.
    return {"action": action, **({"reject": False} if action == "deny" else {}), **match}
