"""Everything that an endpoint can reach, or that can reach it, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from provisioning.core.intent import ANY, INTERNET, InvalidIntent
from provisioning.core.reach.address_holders import explain_holders, hidden_holders
from provisioning.core.reach.compare.atoms import AddressAtoms
from provisioning.core.reach.compare.comparison import FlowComparison, make_example
from provisioning.core.reach.compare.endpoint_names import ExamplePacket
from provisioning.core.reach.compare.evaluator import VerdictKey
from provisioning.core.reach.compare.flow_kinds import InternetInbound, flow_spaces
from provisioning.core.reach.compare.flow_space import FlowEndpoint, FlowSpace
from provisioning.core.reach.compare.rectangles import expand_pairs, rectangles
from provisioning.core.reach.compare.rule_lists import find_non_local_pair, without_local_pairs
from provisioning.core.reach.compare.rule_table import IndexArray
from provisioning.core.reach.unknown_names import unknown_end
from provisioning.core.resolve.network import Network
from provisioning.core.values.address_forms import BadAddress, MistypedAddress, canonical_prefix
from provisioning.core.values.addresses import NOT_PUBLIC_RANGES, Range, intersect, prefix_range, subtract
from provisioning.core.values.resource import Problem


@dataclass(frozen=True, slots=True)
class ReachableFlow:
    """Flows that are delivered; fields as in FlowChange. ``rule`` None: the segment's default action allows them."""

    from_: tuple[str, ...]
    to: tuple[str, ...]
    segment: str
    to_segment: str | None
    protocol: str
    ports: tuple[str, ...]
    icmp_types: tuple[str, ...]
    source_ports: tuple[str, ...]
    dscp: tuple[str, ...]
    via: tuple[str, ...]
    rule: str | None
    example: ExamplePacket


def reachable_flows(network: Network, wanted: str, towards: bool = False) -> list[ReachableFlow]:
    """Return what ``wanted`` can reach, or with ``towards`` what can reach it.

    wanted: uid, name or key of a connector, a group or (towards) an internet application; an address or a prefix;
    ``any`` (every member) or ``internet``. Raise InvalidIntent when there is no such thing.
    """
    asked = _parse_endpoint_filter(network, wanted, towards)
    flows: list[ReachableFlow] = []
    for flow_space in flow_spaces(network):
        comparison = _make_comparison(flow_space, asked, towards)
        if comparison is not None:
            flows += _FlowReport(network, comparison).report(*_select_atoms(comparison, asked, towards))
    return sorted(flows, key=_sort_key)


def _sort_key(flow: ReachableFlow) -> tuple[object, ...]:
    return (
        *(flow.segment, flow.to_segment or "", flow.to, flow.from_, flow.protocol, flow.ports),
        *(flow.icmp_types, flow.source_ports, flow.dscp),
    )


@dataclass(frozen=True, slots=True)
class _EndpointFilter:
    """The endpoints with a name (uid), or with addresses in some ranges."""

    uid: str = ""
    ranges: tuple[Range, ...] = ()

    def ranges_of(self, flow_space: FlowSpace, endpoint: FlowEndpoint) -> tuple[Range, ...]:
        """Return the addresses of an endpoint that are meant."""
        return intersect(self.ranges, endpoint.ranges) if self.ranges else flow_space.ranges_named(endpoint, self.uid)

    def cuts(self, flow_space: FlowSpace) -> tuple[Range, ...]:
        return flow_space.default_route_cuts if self.uid == INTERNET else self.ranges


def _parse_endpoint_filter(network: Network, wanted: str, towards: bool) -> _EndpointFilter:
    if wanted in (ANY, INTERNET):
        return _EndpointFilter(wanted)
    kinds = ("groups", "connectors", *(("internet-apps",) if towards else ()))
    item = next((item for kind in kinds if (item := network.find(kind, wanted))), None)
    if item is not None:
        return _EndpointFilter(item.uid)
    field = "to" if towards else "from"
    try:
        ranges = (prefix_range(canonical_prefix(wanted)),)
        _require_holder(network, field, wanted, ranges)
        return _EndpointFilter(ranges=ranges)
    except MistypedAddress as error:
        raise InvalidIntent([Problem(error.code, field, str(error))]) from None
    except BadAddress:
        message = f"There is no group or connector “{wanted}”, and it is neither an address nor a prefix."
        raise unknown_end(network, field, wanted, message) from None


def _require_holder(network: Network, field: str, wanted: str, ranges: tuple[Range, ...]) -> None:
    """Raise InvalidIntent for addresses that no member presents and no host on the internet has; it says whose they
    are."""
    members = (member for resolved in network.resolved_segments.values() for member in resolved.members)
    if not subtract(ranges, NOT_PUBLIC_RANGES) and not any(
        intersect(ranges, side) for member in members for side in (member.ranges, member.sources)
    ):
        holders = hidden_holders(network, ranges, network.intent.segments.values())
        raise InvalidIntent([Problem("unknown_address", field, explain_holders(wanted, holders))])


def _make_comparison(flow_space: FlowSpace, asked: _EndpointFilter, towards: bool) -> FlowComparison | None:
    """Return None where the flow space has nothing to do with the question."""
    if asked.ranges and isinstance(flow_space, InternetInbound) and not towards and _is_owned_here(flow_space, asked):
        return None
    endpoints = flow_space.destinations if towards else flow_space.sources
    if not any(asked.ranges_of(flow_space, endpoint) for endpoint in endpoints):
        return None
    return FlowComparison([flow_space], cuts=asked.cuts(flow_space))


def _is_owned_here(flow_space: FlowSpace, asked: _EndpointFilter) -> bool:
    """Whether a member of the segment owns any of the addresses: such packets do not come from the internet, but where
    the internet is behind the member."""
    resolved = flow_space.source_segment
    members = (*resolved.members, *resolved.imported_members)
    owned = ((member, intersect(asked.ranges, member.ranges)) for member in members)
    return any(subtract(ranges, resolved.default_route_ranges(member, ranges)) for member, ranges in owned)


def _select_atoms(comparison: FlowComparison, asked: _EndpointFilter, towards: bool) -> tuple[IndexArray, IndexArray]:
    rows, columns = comparison.covered
    flow_space = comparison.flow_spaces[0]
    assert flow_space is not None
    ranges_of = partial(asked.ranges_of, flow_space)
    if towards:
        return rows, select_atoms(comparison.destinations, columns, ranges_of)
    return select_atoms(comparison.sources, rows, ranges_of), columns


def select_atoms(
    side: AddressAtoms, atoms: IndexArray, ranges_of: Callable[[FlowEndpoint], tuple[Range, ...]]
) -> IndexArray:
    """Return those of some atoms that are inside the ranges of their endpoint (where the side is cut)."""
    endpoints = side.endpoints[0]
    meant = [ranges_of(endpoint) for endpoint in endpoints]
    chosen = atoms[np.array([*map(bool, meant), False], bool)[side.endpoint[0][atoms]]]
    if all(ranges in ((), endpoint.ranges) for ranges, endpoint in zip(meant, endpoints, strict=True)):
        return chosen
    owners = side.endpoint[0][chosen].tolist()
    pairs = zip(chosen.tolist(), owners, strict=True)
    return np.array([atom for atom, owner in pairs if intersect((side.range(atom),), meant[owner])], np.intp)


class _FlowReport:
    """What is delivered in one comparison."""

    def __init__(self, network: Network, comparison: FlowComparison) -> None:
        self.comparison = comparison
        self.flow_space, self.evaluator = comparison.flow_spaces[0], comparison.evaluator(0, rules=True)
        self.names = comparison.names(0, network.intent.groups)

    def report(self, rows: IndexArray, columns: IndexArray) -> Iterator[ReachableFlow]:
        assert self.evaluator is not None
        lists = self.comparison.lists(rows, columns)
        full = self.comparison.rule_table.l4_bitmap.full
        kinds: dict[tuple[VerdictKey, int], int] = {}
        of_list = [
            [kinds.setdefault(kind, len(kinds)) for kind in self.evaluator.evaluate(hits[0], full).items()]
            for hits in lists.iter_rules()
        ]
        known = list(kinds)
        for kind, some, ends in rectangles(*expand_pairs(lists.ids, of_list), len(lists.columns)):
            yield from self._flows(*known[kind], lists.rows.atoms_of(some), lists.columns.atoms_of(ends))

    def _flows(self, label: VerdictKey, mask: int, rows: IndexArray, columns: IndexArray) -> Iterator[ReachableFlow]:
        comparison, flow_space = self.comparison, self.flow_space
        rows, columns = without_local_pairs(comparison.sources, comparison.destinations, rows, columns)
        ends = find_non_local_pair(comparison.sources, comparison.destinations, rows, columns)
        if ends is None or flow_space is None:
            return
        rule, chain = label
        for described in comparison.rule_table.l4_bitmap.describe(mask):
            yield ReachableFlow(
                from_=self.names[0].find(rows),
                to=self.names[1].find(columns),
                segment=flow_space.segment.name,
                to_segment=flow_space.to_segment.name if flow_space.to_segment else None,
                protocol=described.protocol,
                ports=described.ports,
                icmp_types=described.icmp_types,
                source_ports=described.source_ports,
                dscp=described.dscp,
                via=tuple(flow_space.source_segment.services[uid].name for uid in chain),
                rule=rule,
                example=make_example(comparison.packet(0, *ends, columns, described.example)),
            )
