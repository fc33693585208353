"""The rules of one segment as bits: which rules an address matches, and what a set of rules decides.

Policy rules that decide have the low bits in the order they are tried; the rules of the firewalls they send flows to
follow. A cell mask has one bit for each stretch of protocols and ports that no rule cuts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from provisioning.core.flows import EVERYTHING, Cells, cells
from provisioning.core.intent import INTERNET, FirewallRule, Policy, Rule
from provisioning.core.reach.decision import Outcome, living_chain
from provisioning.core.realm import Realm
from provisioning.core.roster import Member

Verdicts = tuple[tuple[int, Outcome], ...]
"""Disjoint cell masks with their outcomes; together they are every cell."""


class CellMap:
    """The line of cells cut where any rule begins or ends."""

    def __init__(self, intervals: Iterable[Cells]) -> None:
        cuts = {edge for low, high in EVERYTHING for edge in (low, high + 1)}
        cuts |= {edge for held in intervals for low, high in held for edge in (low, high + 1)}
        self.cuts = sorted(cuts)
        self._memo: dict[Cells, int] = {}
        self.full = self.mask(EVERYTHING)

    def mask(self, held: Cells) -> int:
        if held not in self._memo:
            mask = 0
            for low, high in held:
                mask |= (1 << bisect_left(self.cuts, high + 1)) - (1 << bisect_left(self.cuts, low))
            self._memo[held] = mask
        return self._memo[held]

    def intervals(self, mask: int) -> list[tuple[int, int]]:
        """Back to intervals, touching ones joined."""
        found: list[tuple[int, int]] = []
        for place in bits(mask):
            low, high = self.cuts[place], self.cuts[place + 1] - 1
            if found and found[-1][1] + 1 == low:
                found[-1] = (found[-1][0], high)
            else:
                found.append((low, high))
        return found

    def first(self, mask: int) -> int:
        """The lowest cell."""
        return self.cuts[(mask & -mask).bit_length() - 1]


def bits(mask: int) -> Iterator[int]:
    """Places of the set bits, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


@dataclass(frozen=True, slots=True)
class _Firewall:
    """Where a service's rules have their bits: rule n of it is bit ``first + n``."""

    first: int
    rules: tuple[FirewallRule, ...]
    default: str


class Book:
    """One realm's rules over a shared CellMap."""

    def __init__(self, realm: Realm) -> None:
        self.realm = realm
        self.rules: list[tuple[Policy, Rule]] = []
        self._of_policy: list[int] = []
        for policy in realm.policies:
            first = len(self.rules)
            self.rules += [(policy, rule) for rule in policy.rules if rule.action != "watch"]
            self._of_policy.append((1 << len(self.rules)) - (1 << first))
        self.size = len(self.rules)
        self._firewalls: dict[str, _Firewall] = {}
        self._inner: list[FirewallRule] = []
        for uid in dict.fromkeys(uid for _, rule in self.rules for uid in rule.services):
            service = realm.services.get(uid)
            if service is not None:
                first = self.size + len(self._inner)
                self._firewalls[uid] = _Firewall(first, service.firewall_rules, service.firewall_default)
                self._inner += service.firewall_rules
        self._inside = (1 << (self.size + len(self._inner))) - (1 << self.size)
        self._named: dict[int, int] = {}
        self._to_internet = self._rules_of(
            sum(1 << place for place, policy in enumerate(realm.policies) if INTERNET in policy.to)
        )
        self._memo: dict[tuple[int, bool], Verdicts] = {}
        self.cell_map: CellMap | None = None

    def all_rules(self) -> list[Rule | FirewallRule]:
        """In the order of their bits."""
        return [*(rule for _, rule in self.rules), *self._inner]

    def cells(self) -> Iterator[Cells]:
        return (cells(rule.protocol, rule.ports) for rule in self.all_rules())

    def use(self, cell_map: CellMap) -> None:
        self.cell_map = cell_map
        self._masks = [cell_map.mask(held) for held in self.cells()]

    def events(self, side: str) -> tuple[int, dict[int, int]]:
        """The rules that match at address 0, and address → the bits that flip there. side: source or destination."""
        start, flips = 0, dict[int, int]()
        for place, rule in enumerate(self.all_rules()):
            ranges = self.realm.prefixes.ranges(getattr(rule, side))
            if ranges is None:
                start |= 1 << place
            for low, high in ranges or ():
                for edge in (low, high + 1):
                    flips[edge] = flips.get(edge, 0) ^ (1 << place)
        return start, flips

    def _rules_of(self, policies: int) -> int:
        if policies not in self._named:
            mask = 0
            for place in bits(policies):
                mask |= self._of_policy[place]
            self._named[policies] = mask
        return self._named[policies]

    def starting(self, member: Member) -> int:
        """Rules whose ``from`` names the member; firewall rules name nobody."""
        return self._rules_of(member.froms) | self._inside

    def ending(self, member: Member | None) -> int:
        """Rules whose ``to`` names the member, or the internet for None."""
        return (self._to_internet if member is None else self._rules_of(member.tos)) | self._inside

    # Verdicts

    def verdicts(self, hit: int, internet: bool) -> Verdicts:
        """What becomes of flows that match exactly these rules by their addresses, for every cell."""
        key = hit, internet
        if key not in self._memo:
            self._memo[key] = self._decide(hit, internet)
        return self._memo[key]

    def _decide(self, hit: int, internet: bool) -> Verdicts:
        assert self.cell_map is not None, "use() a cell map first"
        found: dict[Outcome, int] = {}
        left = self.cell_map.full
        for place in bits(hit & ((1 << self.size) - 1)):
            mask = self._masks[place] & left
            if mask:
                left ^= mask
                for part, outcome in self._ruled(place, mask, hit):
                    found[outcome] = found.get(outcome, 0) | part
                if not left:
                    break
        if left:
            open_ = self.realm.segment.stance == "open" and not internet
            outcome = Outcome("delivered" if open_ else "denied_by_stance")
            found[outcome] = found.get(outcome, 0) | left
        return tuple((mask, outcome) for outcome, mask in found.items())

    def _ruled(self, place: int, mask: int, hit: int) -> Iterator[tuple[int, Outcome]]:
        policy, rule = self.rules[place]
        name = policy.rule_id(rule)
        if rule.action != "inspect":
            yield mask, Outcome("delivered" if rule.action == "allow" else "denied_by_rule", name)
            return
        chain, missing = living_chain(self.realm.exchanges, self.realm.services, rule.services)
        for nth, uid in enumerate(chain):
            stopped = self._stopped(self._firewalls[uid], mask, hit)
            if stopped:
                yield stopped, Outcome("denied_by_service", name, chain[: nth + 1], uid)
                mask ^= stopped
        if mask and missing:
            yield mask, Outcome("service_unavailable", name, chain, missing)
        elif mask:
            yield mask, Outcome("delivered_inspected" if chain else "delivered", name, chain)

    def _stopped(self, firewall: _Firewall, mask: int, hit: int) -> int:
        """The cells that a firewall drops."""
        left, stopped = mask, 0
        for nth, rule in enumerate(firewall.rules):
            if hit >> (firewall.first + nth) & 1:
                part = self._masks[firewall.first + nth] & left
                left ^= part
                if rule.action == "deny":
                    stopped |= part
        return stopped | (left if firewall.default == "deny" else 0)
