"""One kind of flows in one or two versions: the table of its rules, and the address atoms of both sides."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from provisioning.core.intent import Group
from provisioning.core.reach.compare.alignment import align
from provisioning.core.reach.compare.atoms import NO_ENDPOINT, AddressAtoms
from provisioning.core.reach.compare.candidates import CandidateEndpoints
from provisioning.core.reach.compare.endpoint_names import EndpointNames, ExamplePacket
from provisioning.core.reach.compare.evaluator import Evaluator
from provisioning.core.reach.compare.flow_kinds import InterSegment
from provisioning.core.reach.compare.flow_space import FlowSpace, RuleStage
from provisioning.core.reach.compare.match_rules import AlignedPolicies, pair_rules
from provisioning.core.reach.compare.rule_lists import RuleLists
from provisioning.core.reach.compare.rule_table import (
    DESTINATION_POLICIES,
    DESTINATION_POLICY_STAGE,
    SHARE_STAGE,
    SOURCE_POLICIES,
    SOURCE_POLICY_STAGE,
    SOURCE_PRE_POLICY_STAGE,
    IndexArray,
    RuleTable,
    StageRules,
)
from provisioning.core.reach.trace.decision import FlowOutcome
from provisioning.core.resolve.nat import Packet
from provisioning.core.values.addresses import EXAMPLE_INTERNET_ADDRESS, Range, address_text, example_host
from provisioning.core.values.headers import HeaderMatch, Headers, header_fields


class FlowComparison:
    """flow_spaces: one for each version; None where a version has no such flows.

    policies: of the segments where the flows begin and end. asked, cuts: headers, and addresses, that a
    question is about; bitmaps and atoms are cut there too. changes: whether only differences are asked about.
    """

    def __init__(
        self,
        flow_spaces: Sequence[FlowSpace | None],
        policies: tuple[AlignedPolicies, AlignedPolicies] | None = None,
        asked: Iterable[HeaderMatch] = (),
        cuts: tuple[Range, ...] = (),
        changes: bool = False,
    ) -> None:
        self.flow_spaces = flow_spaces
        resolved_segments = [flow_space.source_segment if flow_space else None for flow_space in flow_spaces]
        destination_segments = [flow_space.destination_segment if flow_space else None for flow_space in flow_spaces]
        source_policies, destination_policies = policies or (
            AlignedPolicies(resolved_segments),
            AlignedPolicies(destination_segments),
        )
        rules_by_stage = _stage_rules(flow_spaces, source_policies)
        candidates = CandidateEndpoints(flow_spaces)
        if changes:
            candidates.keep_changed(
                [source_policies.touched, destination_policies.touched],
                any(None in pair for stage in rules_by_stage.values() for pair in stage.rules),
            )
        rules_by_stage[SOURCE_POLICY_STAGE] = StageRules(
            SOURCE_POLICIES, list(source_policies.iter_rules(candidates.policy_filter(SOURCE_POLICIES)))
        )
        if any(isinstance(flow_space, InterSegment) for flow_space in flow_spaces):
            rules_by_stage[DESTINATION_POLICY_STAGE] = StageRules(
                DESTINATION_POLICIES,
                list(destination_policies.iter_rules(candidates.policy_filter(DESTINATION_POLICIES))),
            )
        self.rule_table = RuleTable(
            resolved_segments, rules_by_stage, source_policies.services if len(flow_spaces) == 2 else set(), asked
        )
        self._example_internet_atoms: dict[int, int | None] = {}
        connectors: dict[str, int] = {}
        rules = self.rule_table.rules
        self.sources = AddressAtoms(
            self.rule_table, [rule.source for rule in rules], candidates.sources, connectors, cuts
        )
        self.destinations = AddressAtoms(
            self.rule_table, [rule.destination for rule in rules], candidates.destinations, connectors, cuts
        )

    @cached_property
    def covered(self) -> tuple[IndexArray, IndexArray]:
        """The atoms of sources and destinations that such flows can have: where there are shares, those they show."""
        first, after = self.rule_table.stage_starts[SHARE_STAGE : SOURCE_PRE_POLICY_STAGE + 1]
        covered = []
        for side in (self.sources, self.destinations):
            every = np.arange(len(side))
            if first < after:
                shown = [
                    side.match_matrix(k, np.arange(first, after), every).any(axis=0)
                    for k in range(len(self.flow_spaces))
                ]
                every = np.flatnonzero(np.logical_or.reduce(shown))
            covered.append(every)
        return covered[0], covered[1]

    def lists(self, rows: IndexArray, columns: IndexArray, alike: bool = False) -> RuleLists:
        return RuleLists(self.rule_table, self.sources, self.destinations, rows, columns, alike)

    def evaluator(self, version: int, rules: bool = False) -> Evaluator | None:
        flow_space = self.flow_spaces[version]
        return Evaluator(flow_space, self.rule_table, version, rules) if flow_space else None

    def names(self, version: int, groups: Mapping[str, Group]) -> tuple[EndpointNames, EndpointNames]:
        """Return the names of sources and of destinations in one version."""
        flow_space = self.flow_spaces[version]
        senders = [member for member in flow_space.source_segment.members if member.sources] if flow_space else []
        receivers = [member for member in flow_space.destination_segment.members if member.ranges] if flow_space else []
        return (
            EndpointNames(self.sources, version, senders, groups),
            EndpointNames(self.destinations, version, receivers, groups),
        )

    def packet(self, version: int, row: int, column: int, columns: IndexArray, headers: Headers) -> Packet:
        """Return a packet between two atoms (row, column), or to another of ``columns`` that is the internet's too."""
        source, destination = self.sources.range(row), self.destinations.range(column)
        example = self._example_internet_atom(version)
        if example is not None and self._is_internet(self.destinations, version, column) and (columns == example).any():
            destination = (EXAMPLE_INTERNET_ADDRESS, EXAMPLE_INTERNET_ADDRESS)
        if source[0] <= EXAMPLE_INTERNET_ADDRESS <= source[1]:
            source = (EXAMPLE_INTERNET_ADDRESS, EXAMPLE_INTERNET_ADDRESS)
        return Packet(example_host([source]), example_host([destination]), *headers)

    def _example_internet_atom(self, version: int) -> int | None:
        """The destination on the internet that has the address of examples."""
        if version not in self._example_internet_atoms:
            rank = bisect_right(self.destinations.edges, EXAMPLE_INTERNET_ADDRESS) - 1
            atoms = np.flatnonzero((self.destinations.low <= rank) & (self.destinations.high > rank)).tolist()
            self._example_internet_atoms[version] = next(
                (atom for atom in atoms if self._is_internet(self.destinations, version, atom)), None
            )
        return self._example_internet_atoms[version]

    def _is_internet(self, side: AddressAtoms, version: int, atom: int) -> bool:
        endpoint = int(side.endpoint[version][atom])
        return endpoint != NO_ENDPOINT and side.endpoints[version][endpoint].owner is None

    def outcome(self, version: int, row: int, column: int, packet: Packet) -> FlowOutcome | None:
        """Return what the plain path says about one packet; None where the version has no such flow."""
        flow_space = self.flow_spaces[version]
        start, end = int(self.sources.endpoint[version][row]), int(self.destinations.endpoint[version][column])
        if flow_space is None or start == NO_ENDPOINT or end == NO_ENDPOINT:
            return None
        return flow_space.outcome(
            self.sources.endpoints[version][start], self.destinations.endpoints[version][end], packet
        )


def make_example(packet: Packet) -> ExamplePacket:
    source, destination = address_text(packet.source), address_text(packet.destination)
    return ExamplePacket(source=source, destination=destination, **header_fields(packet.headers))


def _stage_rules(flow_spaces: Sequence[FlowSpace | None], policies: AlignedPolicies) -> dict[int, StageRules]:
    """Return the rules that belong to no policy, by stage."""
    versions = [flow_space.stages() if flow_space else {} for flow_space in flow_spaces]
    stage_rules: dict[int, StageRules] = {}
    for number in sorted({number for stages in versions for number in stages}):
        pair = [stages.get(number) for stages in versions]
        keys = [_rule_keys(stage, policies, k) if stage else [] for k, stage in enumerate(pair)]
        policy_index = next(stage.policy_index for stage in pair if stage)
        rules = pair_rules([stage.rules if stage else [] for stage in pair], align(keys))
        stage_rules[number] = StageRules(policy_index, rules)
    return stage_rules


def _rule_keys(stage: RuleStage, policies: AlignedPolicies, version: int) -> list[Hashable]:
    """Return the keys of a stage's rules; rules through services that changed are not the same in the other version."""
    return [
        key if policies.has_same_services(rule.chain or ()) else (key, version)
        for key, rule in zip(stage.keys, stage.rules, strict=True)
    ]
