"""Which of a tenant's nodes and resources work: now, and in a slot of the past."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from datetime import datetime

from provisioning.models import NodeSection, ResourceRecord
from provisioning.selectors.nodes import nodes_of_tenant


class Health(ABC):
    """Which nodes are up, and the states of resources."""

    simulated = False

    @abstractmethod
    def is_node_up(self, location: str, index: int) -> bool: ...

    def nodes_up(self, location: str) -> int:
        return sum(self.is_node_up(location, index) for index in (1, 2))

    @abstractmethod
    def resource_state(self, address: str) -> str:
        """Return up, degraded, pending or unknown."""


class RecordedHealth(Health):
    """What can be known of a slot of the past: which nodes were heard in it."""

    def __init__(self, heard: Collection[int]) -> None:
        self.heard = {(node.location, node.index) for node in nodes_of_tenant() if node.pk in heard}

    def is_node_up(self, location: str, index: int) -> bool:
        return (location, index) in self.heard

    def resource_state(self, address: str) -> str:
        return "up" if self.heard else "unknown"


class ObservedHealth(Health):
    """What nodes last reported, and which resources are provisioned."""

    def __init__(self, now: datetime) -> None:
        self.nodes = {(node.location, node.index): node for node in nodes_of_tenant()}
        self.now = now
        self.provisioned = set(ResourceRecord.objects.values_list("address", flat=True))
        self.failing = {
            section.address: section.failure
            for section in NodeSection.objects.exclude(failure="").only("address", "failure")
        }
        self.simulated = any((node.health or {}).get("simulated") for node in self.nodes.values())

    def is_node_up(self, location: str, index: int) -> bool:
        node = self.nodes.get((location, index))
        return node is not None and node.is_reporting(self.now)

    def resource_state(self, address: str) -> str:
        if address not in self.provisioned:
            return "pending"
        return "degraded" if address in self.failing else "up"
