"""Billing tags: what usage and cost are told apart by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from provisioning.core.intent.fields import Color, References
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind

BillingTags = Annotated[
    tuple[str, ...], References(("billing-tags",), default=(), help="used to split costs", filter=True, in_bulk=True)
]
"""The field of what carries tags."""


@dataclass(frozen=True, slots=True)
class BillingTag(IntentObject):
    color: Annotated[str | None, Color()]


KIND = Kind(
    "billing-tags",
    BillingTag,
    "billing tag",
    "billing tags",
    "A cost centre, a project or a customer. Connectors, services and applications carry tags, and usage is shown by "
    "them.",
    {"name": "research", "color": "#2f6fed"},
)
