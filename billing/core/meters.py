"""The catalogue of meters, as data: what is counted, in which unit, from what, by which dimensions prices may differ.

A new meter is one entry here; a new kind of resource that costs by the hour is one entry in ``HOURLY``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Meter:
    """A kind of quantity that can be sold. ``dimensions``: by what prices may differ, in the order labels name them."""

    key: str
    label: str
    unit: Literal["h", "GB"]
    source: Literal["lifecycle", "counter"]
    dimensions: tuple[str, ...]


METERS: dict[str, Meter] = {
    meter.key: meter
    for meter in (
        Meter("exchange_hours", "Exchange hours", "h", "lifecycle", ("size", "location")),
        Meter("connector_hours", "Connector hours", "h", "lifecycle", ("size", "kind")),
        Meter("service_instance_hours", "Service instance hours", "h", "lifecycle", ("product", "license")),
        Meter("gb_exchange_out", "GB out of an exchange", "GB", "counter", ("kind",)),
        Meter("gb_between_exchanges", "GB between exchanges", "GB", "counter", ("from", "to")),
        Meter("gb_inspected", "GB inspected", "GB", "counter", ("product", "license")),
    )
}
METER_ORDER = {key: position for position, key in enumerate(METERS)}
"""Where a meter stands on an invoice."""

HOURLY_METERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "exchange.presence": ("exchange_hours", ("size", "location")),
    "exchange.connector": ("connector_hours", ("size", "kind", "exchange")),
    "exchange.instance": ("service_instance_hours", ("product", "license", "service", "exchange")),
}
"""Resource kind → (meter of its hours, fields of its body that become dimensions of the samples)."""


def hourly_meter(kind: str, body: Mapping[str, Any]) -> tuple[Meter, dict[str, str]] | None:
    """The meter and the dimensions of an existing resource's hours; None for kinds that are not sold by the hour."""
    if kind not in HOURLY_METERS:
        return None
    meter, fields = HOURLY_METERS[kind]
    return METERS[meter], {field: str(body[field]) for field in fields if body.get(field)}


def line_label(meter: str, dimensions: Mapping[str, str]) -> str:
    """A line's words: ``Connector hours, medium, aws-vpc``."""
    known = METERS[meter]
    return ", ".join([known.label, *(dimensions[name] for name in known.dimensions if name in dimensions)])
