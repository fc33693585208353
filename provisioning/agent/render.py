"""From a document to everything that should exist on this node; pure, so it is tested without root."""

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
from provisioning.core.node_document import MAX_CHAIN_LENGTH


@dataclass(frozen=True)
class RenderedNode:
    """failed: section key → why it could not be rendered; the rest is rendered all the same."""

    namespaces: Mapping[str, NetworkNamespace]
    mark_allocations: Mapping[str, MarkAllocation]
    failed: Mapping[str, str]


def render_node(
    document: NodeDocument, mark_allocations: Mapping[str, MarkAllocation], prefix: str = ""
) -> RenderedNode:
    """``memories``: key of a segment's own section on this node → what was remembered of it."""
    found: dict[str, NetworkNamespace] = {}
    kept: dict[str, MarkAllocation] = {}
    failed: dict[str, str] = {}
    views = parse_segments(document, prefix)
    for segment in views:
        key = segment.section.key
        try:
            rendered, kept[key] = _render_segment(segment, mark_allocations.get(key, MarkAllocation()))
            found |= {namespace.name: namespace for namespace in rendered}
        except (KeyError, ValueError) as error:
            kept[key] = mark_allocations.get(key, MarkAllocation())
            message = f"this section makes no sense to the agent: {type(error).__name__} {error}"
            failed |= dict.fromkeys(segment.sections, message)
    for section in document.of_kind("exchange.instance"):
        mine = [s for s in views if s.tenant == section.tenant and s.section.key not in failed]
        try:
            if namespace := render_service_instance.instance_namespace(section, mine, prefix):
                found[namespace.name] = namespace
        except (KeyError, ValueError) as error:
            failed[section.key] = f"this section makes no sense to the agent: {type(error).__name__} {error}"
    return RenderedNode(found, kept, failed)


def _render_segment(segment: ParsedSegment, before: MarkAllocation) -> tuple[list[NetworkNamespace], MarkAllocation]:
    heard = before.with_overlapping_sources(segment.overlapping_sources)
    decision = DecisionChains(segment)
    render_policies.add_policy_chains(segment, decision, heard.overlapping_sources)
    too_long = [chain for chain in decision.required_chains() if len(chain) > MAX_CHAIN_LENGTH]
    if too_long:
        raise ValueError(f"a chain of {len(too_long[0])} services is longer than {MAX_CHAIN_LENGTH}")
    instances = [(service, instance["id"]) for service, instance in segment.instances]
    known = heard.with_chains(decision.required_chains(), instances)
    mark_allocation = known.with_digest(decision.digest(known))
    rules = render_table.segment_table(segment, decision, mark_allocation)
    beyond = [
        part
        for kind in (render_internet_exit, render_connector_edge, render_applications)
        for part in kind.namespaces(segment)
    ]
    return [render_namespace.segment_namespace(segment, rules), *beyond], mark_allocation
