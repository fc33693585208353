"""What a change does, in lines a reviewer reads. A kind of resource that is worth its own words is a module here and a
line in ``_TELLERS``; all others are told field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from provisioning.core.plan.describe import connector, fields, segment, service_instance
from provisioning.core.values.resource import Body, Change

Describer = Callable[[Body, Body], Iterator[str]]
"""(before, after) → lines; {} where there is nothing."""

_DESCRIBERS: dict[str, Describer] = {
    "exchange.segment": segment.describe_segment,
    "exchange.vrf": service_instance.describe_vrf_services,
    "exchange.connector": connector.describe_connector,
    "exchange.instance": service_instance.describe_instance,
}


def describe_change(change: Change) -> Iterator[str]:
    """What comes, goes or differs; nothing for a removal, of which the address says enough."""
    if change.action == "remove":
        return iter(())
    tell = _DESCRIBERS.get(change.kind)
    if tell:
        return tell(change.before or {}, change.after or {})
    if change.before is None:
        return fields.describe_created(change.after or {})
    return fields.describe_changed(change.before, change.after or {})
