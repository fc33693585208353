"""Services: which instances serve a node's segment, and what an instance runs."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.node_document import InstanceBody, VrfBody
from provisioning.core.plan.describe import rules
from provisioning.core.plan.describe.fields import describe_changed

_DESCRIBED_FIELDS = ("rules", "segments", "zones", "number", "instance", "service", "exchange")


def describe_vrf_services(before: VrfBody | None, after: VrfBody) -> Iterator[str]:
    """Yield the services of one node's part of a segment."""
    old, new = before["services"] if before else {}, after["services"]
    for key in sorted({*old, *new}):
        old_ids, new_ids = (
            [instance["id"] for instance in services[key]["instances"]] if key in services else []
            for services in (old, new)
        )
        yield from (f"- {key}: served by {instance}" for instance in old_ids if instance not in new_ids)
        yield from (f"+ {key}: served by {instance}" for instance in new_ids if instance not in old_ids)
        if key in new and not new_ids and (old_ids or key not in old):
            yield f"{key}: served by no instance"
        if key in old and key not in new and not old_ids:
            yield f"- {key}: served by no instance"
        if key in old and key in new and old[key]["on_failure"] != new[key]["on_failure"]:
            yield f"{key}: on failure {old[key]['on_failure']} → {new[key]['on_failure']}"


def describe_instance(before: InstanceBody | None, after: InstanceBody) -> Iterator[str]:
    new_arms = [arm["segment"] for arm in after["segments"]]
    if before:
        old_arms = [arm["segment"] for arm in before["segments"]]
        yield from describe_changed(_other_fields(before), _other_fields(after))
        yield from (f"- arm in {segment}" for segment in old_arms if segment not in new_arms)
        yield from (f"+ arm in {segment}" for segment in new_arms if segment not in old_arms)
    else:
        arms = ", ".join(new_arms) or "no segment"
        yield f"{after['product']}, licence {after['license']}, on {after['host']}, in {arms}"
        yield f"default action: {after['default_action']}"
    yield from rules.describe_rules(before["rules"] if before else (), after["rules"])
    if (before["zones"] if before else []) != after["zones"]:
        zones = [
            f"{zone['name']} is {', '.join(zone['groups']) or 'all'} of {zone['segment']}" for zone in after["zones"]
        ]
        yield f"zones: {'; '.join(zones) or 'none'}"


def _other_fields(body: InstanceBody) -> dict[str, object]:
    return {name: value for name, value in body.items() if name not in _DESCRIBED_FIELDS}
