"""What provisioning keeps: intent (items and their versions), change (plans and runs), the world as it was left."""

from provisioning.models.document_imports import DocumentImport
from provisioning.models.intent import (
    FOREVER,
    Draft,
    Edit,
    Item,
    LiveRevision,
    Overlay,
    OverlayIndexEntry,
    Revision,
    Version,
    VersionIndexEntry,
)
from provisioning.models.list_refresh import ListRefresh
from provisioning.models.nodes import (
    NODE_TIMEOUT,
    CounterReading,
    EdgeTraffic,
    Node,
    NodeSection,
    NodeTenant,
    TrafficRollup,
)
from provisioning.models.plans import Plan, PlannedChange, ResourceBody, Run, Step
from provisioning.models.state import CloudAccount, InFlightWrite, Lifecycle, ResourceRecord

__all__ = [
    "FOREVER",
    "NODE_TIMEOUT",
    "CloudAccount",
    "CounterReading",
    "DocumentImport",
    "Draft",
    "EdgeTraffic",
    "Edit",
    "InFlightWrite",
    "Item",
    "Lifecycle",
    "ListRefresh",
    "LiveRevision",
    "Node",
    "NodeSection",
    "NodeTenant",
    "Overlay",
    "OverlayIndexEntry",
    "Plan",
    "PlannedChange",
    "ResourceBody",
    "ResourceRecord",
    "Revision",
    "Run",
    "Step",
    "TrafficRollup",
    "Version",
    "VersionIndexEntry",
]
