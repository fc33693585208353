"""What provisioning keeps: intent (items and their versions), change (plans and runs), the world as it was left."""

from provisioning.models.change import Content, Plan, PlannedChange, Run, Step
from provisioning.models.intent import (
    FOREVER,
    Draft,
    Edit,
    Item,
    Network,
    Overlay,
    OverlayMark,
    Revision,
    Version,
    VersionMark,
)
from provisioning.models.nodes import CounterReading, Node, NodeSection, NodeTenant
from provisioning.models.world import Begun, CloudAccount, Lifecycle, ResourceRecord

__all__ = [
    "FOREVER",
    "Begun",
    "CloudAccount",
    "Content",
    "CounterReading",
    "Draft",
    "Edit",
    "Item",
    "Lifecycle",
    "Network",
    "Node",
    "NodeSection",
    "NodeTenant",
    "Overlay",
    "OverlayMark",
    "Plan",
    "PlannedChange",
    "ResourceRecord",
    "Revision",
    "Run",
    "Step",
    "Version",
    "VersionMark",
]
