"""What a change does, in lines a reviewer reads. A kind of resource that is worth its own words is a module here and a
line in ``_TELLERS``; all others are told field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from provisioning.core.plan.telling import connector, fieldwise, instance, segment
from provisioning.core.resource import Body, Change

Teller = Callable[[Body, Body], Iterator[str]]
"""(before, after) → lines; {} where there is nothing."""

_TELLERS: dict[str, Teller] = {
    "exchange.segment": segment.told,
    "exchange.vrf": instance.services,
    "exchange.connector": connector.told,
    "exchange.instance": instance.told,
}


def lines(change: Change) -> Iterator[str]:
    """What comes, goes or differs; nothing for a removal, of which the address says enough."""
    if change.action == "remove":
        return iter(())
    tell = _TELLERS.get(change.kind)
    if tell:
        return tell(change.before or {}, change.after or {})
    if change.before is None:
        return fieldwise.created(change.after or {})
    return fieldwise.changed(change.before, change.after or {})
