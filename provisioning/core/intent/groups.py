"""Groups: a named set of attachments, what policies talk about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from provisioning.core.intent.fields import Name, References
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind
from provisioning.core.intent.label_fields import Selector


@dataclass(frozen=True, slots=True)
class Group(IntentObject):
    """Its members are the attachments that name it, those that its selector selects, and those of the groups in it."""

    name: Annotated[str, Name(reserved=True)]
    contains: Annotated[
        tuple[str, ...],
        References(
            ("groups",),
            default=(),
            label="Contains groups",
            help="groups whose members are members of this one too",
            filter=True,
        ),
    ]
    selector: Annotated[
        str | None,
        Selector(
            label="Selects by labels",
            help="attachments with these labels are members too; labels of a connector hold for its attachments",
            example="env=prod, tier in (web, app)",
        ),
    ]


KIND = Kind(
    "groups",
    Group,
    "group",
    "groups",
    "A named set of attachments, across clouds and sites. Policies talk about groups; an attachment joins by name, by "
    "its labels, or through a group in the group.",
    {"name": "prod", "description": "What customers depend on", "selector": "env=prod"},
    counted=True,
)
