"""Presets: what people often build, as the edits that write it. What they write are ordinary objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from provisioning.core.intent import ANY, INTERNET
from provisioning.core.values.addresses import DEFAULT_ROUTES


def central_egress(hub: str, spokes: Sequence[str], services: Sequence[str], position: int) -> list[dict[str, Any]]:
    """Return edits by which all members of some segments (spokes) leave to the internet by another one (hub).

    hub, spokes, services: names. A share for each spoke, and a policy in the hub that sends what leaves through the
    services in this order; without any it is let through. position: of the policy.
    """
    everybody = list(DEFAULT_ROUTES)
    shares = [
        {
            "name": f"{spoke} to the internet by {hub}",
            "a": {"segment": spoke, "prefixes": everybody},
            "b": {"segment": hub, "internet": True},
            "direction": "a-to-b",
        }
        for spoke in spokes
    ]
    passed = {"action": "inspect", "services": list(services)} if services else {"action": "allow"}
    policy = {
        "name": f"internet by {hub}",
        "position": position,
        "segments": [hub],
        "from": [ANY],
        "to": [INTERNET],
        "rules": [{"name": "leaves", **passed}],
    }
    kinds = [*(("shares", share) for share in shares), ("policies", policy)]
    return [{"action": "create", "kind": kind, "body": body} for kind, body in kinds]
