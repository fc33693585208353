"""Presets: what people often build, as the edits that write it. What they write are ordinary objects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent import ANY, INTERNET
from provisioning.core.values.addresses import DEFAULT_ROUTES

EDIT_PATH = re.compile(r"edits\[(\d+)\]\.(.*)")


@dataclass(frozen=True, slots=True)
class CentralEgress:
    """All members of some segments (spokes) leave to the internet by another one (hub), through services in this order;
    without any they are let through.

    hub, spokes, services: names or ids. name: of the policy, and what the names of the shares begin with.
    """

    hub: str
    spokes: tuple[str, ...]
    services: tuple[str, ...]
    name: str

    def edits(self, position: int) -> list[dict[str, Any]]:
        """Return the edits: a share for each spoke, then a policy in the hub, at this position."""
        everybody = list(DEFAULT_ROUTES)
        shares = [
            {
                "name": f"{self.name}: {spoke}",
                "a": {"segment": spoke, "prefixes": everybody},
                "b": {"segment": self.hub, "internet": True},
                "direction": "a-to-b",
            }
            for spoke in self.spokes
        ]
        passed = {"action": "inspect", "services": list(self.services)} if self.services else {"action": "allow"}
        policy = {
            "name": self.name,
            "position": position,
            "segments": [self.hub],
            "from": [ANY],
            "to": [INTERNET],
            "rules": [{"name": "leaves", **passed}],
        }
        kinds = [*(("shares", share) for share in shares), ("policies", policy)]
        return [{"action": "create", "kind": kind, "body": body} for kind, body in kinds]

    def field_of(self, path: str) -> str:
        """Return the field that is to be mended where the edits, or a name that they give, have a problem at this path;
        else the path."""
        match = EDIT_PATH.fullmatch(path)
        if match is None:
            return "name" if path.endswith("/name") else path
        index, inner = int(match[1]), match[2]
        if inner in ("b.segment", "segments[0]"):
            return "hub"
        if index < len(self.spokes):
            return f"spokes[{index}]"
        _, services, item = inner.partition("services")
        return f"{services}{item}" or "name"
