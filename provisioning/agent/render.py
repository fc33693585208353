"""From a document to everything that should exist on this node; pure, so it is tested without root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provisioning.agent import (
    render_app,
    render_edge,
    render_exit,
    render_instance,
    render_links,
    render_policy,
    render_rules,
)
from provisioning.agent.document import Document
from provisioning.agent.marks import MOST_SERVICES
from provisioning.agent.memory import Memory
from provisioning.agent.render_decision import Decision
from provisioning.agent.view import Segment, segments
from provisioning.agent.wanted import Namespace


@dataclass(frozen=True)
class Rendered:
    """failed: section key → why it could not be rendered; the rest is rendered all the same."""

    namespaces: Mapping[str, Namespace]
    memories: Mapping[str, Memory]
    failed: Mapping[str, str]


def render(document: Document, memories: Mapping[str, Memory], prefix: str = "") -> Rendered:
    """``memories``: key of a segment's own section on this node → what was remembered of it."""
    found: dict[str, Namespace] = {}
    kept: dict[str, Memory] = {}
    failed: dict[str, str] = {}
    views = segments(document, prefix)
    for segment in views:
        key = segment.section.key
        try:
            rendered, kept[key] = _segment(segment, memories.get(key, Memory()))
            found |= {namespace.name: namespace for namespace in rendered}
        except (KeyError, ValueError) as error:
            kept[key] = memories.get(key, Memory())
            message = f"this section makes no sense to the agent: {type(error).__name__} {error}"
            failed |= dict.fromkeys(segment.sections, message)
    for section in document.of_kind("exchange.instance"):
        mine = [s for s in views if s.tenant == section.tenant and s.section.key not in failed]
        try:
            if namespace := render_instance.namespace(section, mine, prefix):
                found[namespace.name] = namespace
        except (KeyError, ValueError) as error:
            failed[section.key] = f"this section makes no sense to the agent: {type(error).__name__} {error}"
    return Rendered(found, kept, failed)


def _segment(segment: Segment, before: Memory) -> tuple[list[Namespace], Memory]:
    heard = before.hearing(segment.speakers)
    decision = Decision(segment)
    render_policy.write(segment, decision, heard.speakers)
    too_long = [chain for chain in decision.wanted_chains() if len(chain) > MOST_SERVICES]
    if too_long:
        raise ValueError(f"a chain of {len(too_long[0])} services is longer than {MOST_SERVICES}")
    instances = [(service, instance["id"]) for service, instance in segment.instances]
    known = heard.knowing(decision.wanted_chains(), instances)
    memory = known.decided(decision.digest(known))
    rules = render_rules.rules(segment, decision, memory)
    beyond = [part for kind in (render_exit, render_edge, render_app) for part in kind.namespaces(segment)]
    return [render_links.namespace(segment, rules), *beyond], memory
