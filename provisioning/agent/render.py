"""From a document to everything that should exist on this node; pure, so that tests need no root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provisioning.agent import (
    render_applications,
    render_connector_edge,
    render_internet_exit,
    render_namespace,
    render_policies,
    render_service_instance,
    render_table,
)
from provisioning.agent.desired import NetworkNamespace
from provisioning.agent.document import NodeDocument
from provisioning.agent.mark_allocation import MarkAllocation
from provisioning.agent.parsed_segment import ParsedSegment, parse_segments
from provisioning.agent.render_decision import DecisionChains
from provisioning.core.node_document import MAX_CHAIN_LENGTH, SECTION_KINDS


@dataclass(frozen=True)
class RenderedNode:
    """failed: section key → why it could not be rendered; the rest is rendered all the same."""

    namespaces: Mapping[str, NetworkNamespace]
    mark_allocations: Mapping[str, MarkAllocation]
    failed: Mapping[str, str]


def render_node(
    document: NodeDocument, mark_allocations: Mapping[str, MarkAllocation], prefix: str = ""
) -> RenderedNode:
    """Render the document. ``mark_allocations``: key of a segment's own section → its numbers so far."""
    namespaces: dict[str, NetworkNamespace] = {}
    allocations: dict[str, MarkAllocation] = {}
    failed = {
        section.key: f"this agent knows no sections of kind {section.kind}: upgrade it"
        for section in document.sections.values()
        if section.kind not in SECTION_KINDS
    }
    segments = parse_segments(document, prefix)
    for segment in segments:
        key = segment.section.key
        before = mark_allocations.get(key, MarkAllocation())
        try:
            rendered, allocations[key] = _render_segment(segment, before)
            namespaces |= {namespace.name: namespace for namespace in rendered}
        except (KeyError, ValueError) as error:
            allocations[key] = before
            failed |= dict.fromkeys(segment.sections, _failure(error))
    for section in document.of_kind("exchange.instance"):
        arms = [
            segment for segment in segments if segment.tenant == section.tenant and segment.section.key not in failed
        ]
        try:
            if namespace := render_service_instance.instance_namespace(section, arms, prefix):
                namespaces[namespace.name] = namespace
        except (KeyError, ValueError) as error:
            failed[section.key] = _failure(error)
    return RenderedNode(namespaces, allocations, failed)


def _failure(error: Exception) -> str:
    return f"the agent cannot read this section: {type(error).__name__} {error}"


def _render_segment(segment: ParsedSegment, before: MarkAllocation) -> tuple[list[NetworkNamespace], MarkAllocation]:
    """Render the segment's namespace and those around it, with numbers that go on from ``before``."""
    allocation = before.with_overlapping_sources(segment.overlapping_sources)
    decision = DecisionChains(segment)
    render_policies.add_policy_chains(segment, decision, allocation.overlapping_sources)
    chains = decision.service_chains()
    longest = max(map(len, chains), default=0)
    if longest > MAX_CHAIN_LENGTH:
        raise ValueError(f"a chain of {longest} services is longer than {MAX_CHAIN_LENGTH}")
    allocation = allocation.with_chains(chains, [(service, entry["id"]) for service, entry in segment.instances])
    allocation = allocation.with_digest(decision.digest(allocation))
    table = render_table.segment_table(segment, decision, allocation)
    translating = [
        namespace
        for renderer in (render_internet_exit, render_connector_edge, render_applications)
        for namespace in renderer.namespaces(segment)
    ]
    return [render_namespace.segment_namespace(segment, table), *translating], allocation
