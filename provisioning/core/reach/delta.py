"""What a change makes reachable, unreachable, or sends through other services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from provisioning.core.intent import Group
from provisioning.core.reach.compare.comparison import FlowComparison, make_example
from provisioning.core.reach.compare.endpoint_names import EndpointNames, ExamplePacket
from provisioning.core.reach.compare.evaluator import FlowDifference, compare_verdicts
from provisioning.core.reach.compare.flow_kinds import hairpin, inter_segment, internet_inbound, intra_segment
from provisioning.core.reach.compare.flow_space import FlowSpace
from provisioning.core.reach.compare.match_rules import AlignedPolicies
from provisioning.core.reach.compare.rectangles import expand_pairs, rectangles
from provisioning.core.reach.compare.rule_lists import RuleLists, find_non_local_pair, without_local_pairs
from provisioning.core.reach.compare.rule_table import IndexArray
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network


@dataclass(frozen=True, slots=True)
class FlowChange:
    """Flows that are decided otherwise after a change.

    from_, to: names of groups, connectors, internet applications, ``any``, ``internet``. segment: name; to_segment: of
    the destination, where a share leads to another one. protocol: ``any``, a name, a number or ``other``; ports,
    icmp_types, source_ports, dscp: as people write them, empty: all. via: names of the services passed after the
    change. rule_before, rule_after: ids of the rules that decide the example, None where none does (or nothing is
    there). fate_before, fate_after: its dispositions, None where there is no such flow: no such address, or no share
    between the two. internet: which name in from_ or to is the internet's, such as ``internet (8.8.8.8/32)``; empty
    where it is at neither end.
    """

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
    example: ExamplePacket
    rule_before: str | None
    rule_after: str | None
    fate_before: str | None = None
    fate_after: str | None = None
    internet: str = ""


@dataclass(frozen=True, slots=True)
class ReachabilityDelta:
    """inspected: delivered before and after, but through other services; ``via`` is empty where none are left."""

    allowed: tuple[FlowChange, ...] = ()
    blocked: tuple[FlowChange, ...] = ()
    inspected: tuple[FlowChange, ...] = ()


LabelledChanges = list[tuple[str, FlowChange]]


_CHANGES = DerivedKey[LabelledChanges]("flow changes between two segments")


def compare_reachability(before: Network, after: Network) -> ReachabilityDelta:
    """Return the difference of two networks for every packet there can be, in pairs of groups and connectors.

    A segment that is the same object in both networks costs nothing, and one for which an earlier version of ``after``
    was asked the same costs little.
    """
    changes: dict[str, list[FlowChange]] = {"allowed": [], "blocked": [], "inspected": []}
    groups = before.intent.groups, after.intent.groups
    names = tuple(tuple(by_uid.values()) for by_uid in groups)
    segments = sorted({**before.intent.segments, **after.intent.segments}.values(), key=lambda segment: segment.number)
    versions = {segment.uid: _SegmentVersions(before, after, segment.uid) for segment in segments}
    for segment in segments:
        source = versions[segment.uid]
        for uid in (segment.uid, *source.destinations()):
            destination = versions[uid]
            if source.changed or destination.changed:
                reads = (*source.resolved_segments, *destination.resolved_segments, *names)
                make = partial(_compare_flows, source, destination, groups)
                for word, change in after.derived.get(_CHANGES, reads, make, of=(segment.uid, uid)):
                    changes[word].append(change)
            else:
                # Nobody will ask for this again, and it would keep segments of old versions alive.
                after.derived.forget(_CHANGES, of=(segment.uid, uid))
    return ReachabilityDelta(**{word: tuple(sorted(flows, key=_sort_key)) for word, flows in changes.items()})


class _SegmentVersions:
    """One segment in both networks; None where it does not exist."""

    def __init__(self, before: Network, after: Network, uid: str) -> None:
        self.uid, self.networks = uid, (before, after)
        self.resolved_segments = [
            network.resolved(uid) if uid in network.intent.segments else None for network in self.networks
        ]
        self.changed = self.resolved_segments[0] is not self.resolved_segments[1]

    @cached_property
    def policies(self) -> AlignedPolicies:
        return AlignedPolicies(self.resolved_segments)

    def destinations(self) -> Iterable[str]:
        """uids of the segments to which shares let flows be initiated here, in either network."""
        shares = (share for resolved in self.resolved_segments if resolved for share in resolved.directed_shares)
        return dict.fromkeys(share.other for share in shares if share.can_initiate)


def _sort_key(change: FlowChange) -> tuple[object, ...]:
    return (
        *(change.segment, change.to_segment or "", change.from_, change.to, change.protocol, change.ports),
        *(change.icmp_types, change.source_ports, change.dscp, change.via),
    )


Groups = Sequence[dict[str, Group]]


def _compare_flows(source: _SegmentVersions, destination: _SegmentVersions, groups: Groups) -> LabelledChanges:
    """Return the changes of flows from one segment to another, or inside one where both are the same."""
    changes: LabelledChanges = []
    for flow_spaces in _flow_spaces(source, destination):
        comparison = FlowComparison(flow_spaces, (source.policies, destination.policies), changes=True)
        report = _ChangeReport(comparison, groups)
        for rows, columns, alike in _changed_regions(comparison):
            changes += report.report(comparison.lists(rows, columns, alike))
    return changes


def _flow_spaces(source: _SegmentVersions, destination: _SegmentVersions) -> Iterator[list[FlowSpace | None]]:
    both = list(zip(source.networks, source.resolved_segments, destination.resolved_segments, strict=True))
    if source is not destination:
        yield [
            _inter_segment(network, source.uid, destination.uid) if source_version and destination_version else None
            for network, source_version, destination_version in both
        ]
        return
    yield [intra_segment(network, source.uid) if here else None for network, here, _ in both]
    if any(here and here.apps for _, here, _ in both):
        for kind in (internet_inbound, hairpin):
            yield [kind(network, source.uid) if here else None for network, here, _ in both]


def _inter_segment(network: Network, source: str, destination: str) -> FlowSpace | None:
    """None where no share lets flows be initiated."""
    flow_space = inter_segment(network, source, destination)
    return flow_space if flow_space.directed_shares else None


def _changed_regions(comparison: FlowComparison) -> Iterator[tuple[IndexArray, IndexArray, bool]]:
    """Yield the sources and destinations between which flows can differ, and whether both versions name them alike."""
    rows, columns = comparison.covered
    new_rows, new_columns = comparison.sources.changed[rows], comparison.destinations.changed[columns]
    old_rows, old_columns = rows[~new_rows], columns[~new_columns]
    rules = comparison.rule_table.changed()
    if len(rules) and len(old_rows) and len(old_columns):
        from_ = comparison.sources.match_matrix_any_version(rules, old_rows)
        to = comparison.destinations.match_matrix_any_version(rules, old_columns)
        effective = from_.any(axis=1) & to.any(axis=1)
        if effective.any():
            yield old_rows[from_[effective].any(axis=0)], old_columns[to[effective].any(axis=0)], True
    if new_rows.any() and len(columns):
        yield rows[new_rows], columns, False
    if new_columns.any() and len(old_rows):
        yield old_rows, columns[new_columns], False


class _ChangeReport:
    """The changes of one comparison, with names and examples."""

    def __init__(self, comparison: FlowComparison, groups: Groups) -> None:
        self.comparison, self._groups = comparison, groups
        self.evaluators = [comparison.evaluator(k) for k in range(2)]

    @cached_property
    def names(self) -> list[tuple[EndpointNames, EndpointNames]]:
        return [self.comparison.names(k, self._groups[k]) for k in range(2)]

    def report(self, lists: RuleLists) -> LabelledChanges:
        kinds: dict[FlowDifference, int] = {}
        of_list = [
            [kinds.setdefault(kind, len(kinds)) for kind in self._compare(lists, hits)] for hits in lists.iter_rules()
        ]
        if not kinds:
            return []
        differences = list(kinds)
        changes: LabelledChanges = []
        for kind, rows, columns in rectangles(*expand_pairs(lists.ids, of_list), len(lists.columns)):
            changes += self._flow_changes(differences[kind], lists.rows.atoms_of(rows), lists.columns.atoms_of(columns))
        return changes

    def _compare(self, lists: RuleLists, hits: list[list[int]]) -> tuple[FlowDifference, ...]:
        rule_table = self.comparison.rule_table
        asked = rule_table.l4_bitmap.full
        if lists.same_endpoints:
            # Only protocols and ports of rules that came or went can be decided otherwise.
            asked = 0
            for index in set(hits[0]).symmetric_difference(hits[1]):
                asked |= rule_table.l4_masks[index]
        before, after = (
            evaluator.evaluate(version_hits, asked) if evaluator else {}
            for evaluator, version_hits in zip(self.evaluators, hits, strict=True)
        )
        return compare_verdicts(before, after)

    def _flow_changes(
        self, kind: FlowDifference, rows: IndexArray, columns: IndexArray
    ) -> Iterable[tuple[str, FlowChange]]:
        comparison, (word, chain, mask) = self.comparison, kind
        # Blocked flows are named as they were before, all others as they are after.
        version = 0 if word == "blocked" else 1
        flow_space = comparison.flow_spaces[version]
        assert flow_space is not None, "flows that are delivered have a segment"
        rows, columns = without_local_pairs(comparison.sources, comparison.destinations, rows, columns)
        ends = find_non_local_pair(comparison.sources, comparison.destinations, rows, columns)
        if ends is None:
            return
        names = self.names[version]
        from_, to = names[0].find(rows), names[1].find(columns)
        internet = names[0].internet_part(rows) or names[1].internet_part(columns)
        via = tuple(flow_space.source_segment.services[uid].name for uid in chain)
        for described in comparison.rule_table.l4_bitmap.describe(mask):
            packet = comparison.packet(version, *ends, columns, described.example)
            outcomes = [comparison.outcome(k, *ends, packet) for k in range(2)]
            yield (
                word,
                FlowChange(
                    from_=from_,
                    to=to,
                    segment=flow_space.segment.name,
                    to_segment=flow_space.to_segment.name if flow_space.to_segment else None,
                    protocol=described.protocol,
                    ports=described.ports,
                    icmp_types=described.icmp_types,
                    source_ports=described.source_ports,
                    dscp=described.dscp,
                    via=via,
                    example=make_example(packet),
                    rule_before=outcomes[0].rule if outcomes[0] else None,
                    rule_after=outcomes[1].rule if outcomes[1] else None,
                    fate_before=outcomes[0].disposition if outcomes[0] else None,
                    fate_after=outcomes[1].disposition if outcomes[1] else None,
                    internet=internet,
                ),
            )
