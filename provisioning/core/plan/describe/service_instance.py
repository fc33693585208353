"""Services: which instances serve a node's segment, and what an instance runs."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.plan.describe import rules
from provisioning.core.plan.describe.fields import describe_changed
from provisioning.core.values.resource import Body

_DESCRIBED_FIELDS = ("rules", "segments", "zones", "number", "instance", "service", "exchange")


def describe_vrf_services(before: Body, after: Body) -> Iterator[str]:
    """Of a segment's section for one node."""
    old, new = before.get("services", {}), after.get("services", {})
    for key in sorted({*old, *new}):
        had, has = ([one["id"] for one in held.get(key, {}).get("instances", ())] for held in (old, new))
        yield from (f"- {key}: served by {one}" for one in had if one not in has)
        yield from (f"+ {key}: served by {one}" for one in has if one not in had)
        if key in new and not has and (had or key not in old):
            yield f"{key}: served by no instance"
        if key in old and key not in new and not had:
            yield f"- {key}: served by no instance"
        if key in old and key in new and old[key]["on_failure"] != new[key]["on_failure"]:
            yield f"{key}: on failure {old[key]['on_failure']} → {new[key]['on_failure']}"


def describe_instance(before: Body, after: Body) -> Iterator[str]:
    had, has = ([one["segment"] for one in body.get("segments", ())] for body in (before, after))
    if before:
        rest = [
            {name: held for name, held in body.items() if name not in _DESCRIBED_FIELDS} for body in (before, after)
        ]
        yield from describe_changed(*rest)
        yield from (f"- arm in {one}" for one in had if one not in has)
        yield from (f"+ arm in {one}" for one in has if one not in had)
    else:
        arms = ", ".join(has) or "no segment"
        yield f"{after['product']}, licence {after['license']}, on {after['host']}, in {arms}"
        yield f"default: {after['default']}"
    yield from rules.describe_rules(before.get("rules", ()), after["rules"])
    if before.get("zones", []) != after.get("zones", []):
        zones = [f"{one['name']} is {', '.join(one['groups']) or 'all'} of {one['segment']}" for one in after["zones"]]
        yield f"zones: {'; '.join(zones) or 'none'}"
