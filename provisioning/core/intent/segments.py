"""Segments: a VRF across all exchanges, with a default action for what no policy decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from provisioning.core.intent.fields import Choice, Color, Prefixes
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind
from provisioning.core.intent.old_names import RenamedFrom

DEFAULT_ACTIONS = {
    "deny": "Deny: nothing passes unless a policy allows",
    "allow": "Allow: members reach each other unless a policy denies",
}


@dataclass(frozen=True, slots=True)
class Segment(IntentObject):
    default_action: Annotated[
        str,
        Choice(
            DEFAULT_ACTIONS,
            default="allow",
            help="what becomes of flows that no policy decides",
            filter=True,
            in_bulk=True,
            renamed_from=RenamedFrom("stance", {"open": "allow", "closed": "deny"}),
        ),
    ]
    prefixes: Annotated[
        tuple[str, ...],
        Prefixes(
            help="what the segment is made of; empty: whatever its connectors bring",
            example="10.0.0.0/8, 2001:db8::/32",
        ),
    ]
    color: Annotated[str | None, Color()]


KIND = Kind(
    "segments",
    Segment,
    "segment",
    "segments",
    "A VRF across all exchanges, apart from every other one: two segments may use the same addresses.",
    {"name": "corp", "default_action": "deny", "prefixes": ["10.0.0.0/8"], "color": "#2f6fed"},
    counted=True,
)
