"""Groups: a named set of connectors, what policies talk about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from provisioning.core.intent.fields import Name
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind


@dataclass(frozen=True, slots=True)
class Group(IntentObject):
    name: Annotated[str, Name(reserved=True)]


KIND = Kind(
    "groups",
    Group,
    "group",
    "groups",
    "A named set of connectors, across clouds and sites. Policies talk about groups; a connector joins one where it "
    "attaches to a segment.",
    {"name": "prod", "description": "What customers depend on"},
    counted=True,
)
