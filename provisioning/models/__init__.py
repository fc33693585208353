"""What provisioning keeps: intent (items and their versions), change (plans and runs), the world as it was left."""

from provisioning.models.plans import ResourceBody, Plan, PlannedChange, Run, Step
from provisioning.models.intent import (
    FOREVER, Draft, Edit, Item, LiveRevision, Overlay, OverlayIndexEntry, Revision, Version, VersionIndexEntry)
from provisioning.models.nodes import CounterReading, Node, NodeSection, NodeTenant
from provisioning.models.state import InFlightWrite, CloudAccount, Lifecycle, ResourceRecord

__all__ = [
    "FOREVER",
    "InFlightWrite",
    "CloudAccount",
    "ResourceBody",
    "CounterReading",
    "Draft",
    "Edit",
    "Item",
    "Lifecycle",
    "LiveRevision",
    "Node",
    "NodeSection",
    "NodeTenant",
    "Overlay",
    "OverlayIndexEntry",
    "Plan",
    "PlannedChange",
    "ResourceRecord",
    "Revision",
    "Run",
    "Step",
    "Version",
    "VersionIndexEntry",
]
