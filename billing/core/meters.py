"""The table of meters: what is counted, from what, and by which dimensions prices may differ.

``METERS`` is the only place that says what is sold. A new meter is one entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from provisioning.core.values.counter_key import CounterForm, CounterKey

MAX_UNIT_LENGTH = 8
"""Characters of a unit on an invoice line."""


@dataclass(frozen=True, slots=True)
class ResourceHours:
    """A source: the hours for which a resource of ``kind`` exists. Dimensions are fields of the resource's body."""

    kind: str
    unit: Literal["h"] = "h"


@dataclass(frozen=True, slots=True)
class NodeCounter:
    """A source: what the nodes' counters of a form count (provisioning/core/values/counter_key.py).

    quantity: as it stands in the counters' keys; one ``unit`` is 10 to the power of ``exponent`` of it.

    Dimensions are attributes of the counter's subject: of a connector or a service the fields of its lifecycle, of
    the traffic to another exchange ``from`` and ``to``, the locations.
    """

    subject_kind: str
    direction: str = ""
    quantity: str = "bytes"
    unit: str = "GB"
    exponent: int = 9

    @property
    def form(self) -> CounterForm:
        return self.subject_kind, self.direction, self.quantity

    def units(self, count: int) -> Decimal:
        """Return a count in units, exactly."""
        return Decimal(count).scaleb(-self.exponent)


@dataclass(frozen=True, slots=True)
class Meter:
    """A kind of quantity that can be sold.

    dimensions: by what prices may differ, in the order in which labels name them.
    details: what else is kept of a sample, for grouping usage.
    """

    key: str
    label: str
    source: ResourceHours | NodeCounter
    dimensions: tuple[str, ...]
    details: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.unit) > MAX_UNIT_LENGTH:
            raise ValueError(f"Meter {self.key}: unit {self.unit} is longer than {MAX_UNIT_LENGTH} characters.")

    @property
    def unit(self) -> str:
        return self.source.unit

    def sample_dimensions(self, attributes: Mapping[str, Any]) -> dict[str, str]:
        """Return the dimensions and details that ``attributes`` has a value for."""
        return {name: str(attributes[name]) for name in (*self.dimensions, *self.details) if attributes.get(name)}


METERS: dict[str, Meter] = {
    meter.key: meter
    for meter in (
        Meter("exchange_hours", "Exchange hours", ResourceHours("exchange.presence"), ("size", "location")),
        Meter(
            "connector_hours", "Connector hours", ResourceHours("exchange.connector"), ("size", "kind"), ("exchange",)
        ),
        Meter(
            "service_instance_hours",
            "Service instance hours",
            ResourceHours("exchange.instance"),
            ("product", "license"),
            ("service", "exchange"),
        ),
        Meter("gb_exchange_out", "Data egress", NodeCounter("connector", "out"), ("kind",), ("exchange",)),
        Meter("gb_between_exchanges", "Inter-exchange transfer", NodeCounter("mesh", "out"), ("from", "to")),
        Meter("gb_inspected", "Inspected data", NodeCounter("service"), ("product", "license")),
    )
}
"""Every meter by its key, in the order of an invoice."""


def meter_order() -> dict[str, int]:
    """Return the position of each meter on an invoice."""
    return {key: position for position, key in enumerate(METERS)}


def all_dimensions() -> set[str]:
    """Return every dimension and detail that a sample of some meter may have."""
    return {name for meter in METERS.values() for name in (*meter.dimensions, *meter.details)}


def hourly_meters(kind: str) -> list[Meter]:
    """Return the meters of the hours of resources of a kind; none for kinds that are not sold by the hour."""
    return [meter for meter in METERS.values() if isinstance(meter.source, ResourceHours) and meter.source.kind == kind]


def hourly_usage(kind: str, body: Mapping[str, Any]) -> Iterator[tuple[Meter, dict[str, str]]]:
    """Yield each meter of an existing resource's hours with the dimensions of its samples."""
    for meter in hourly_meters(kind):
        yield meter, meter.sample_dimensions(body)


def lifecycle_dimensions(kind: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the fields of a resource's body that its hours are priced by, or None when it is not sold by the hour.

    Provisioning calls this by the setting LIFECYCLE_DIMENSIONS; when the result changes, a new lifecycle begins.
    """
    meters = hourly_meters(kind)
    if not meters:
        return None
    names = {name for meter in meters for name in (*meter.dimensions, *meter.details)}
    return {name: body[name] for name in sorted(names) if name in body}


def counter_meters(key: CounterKey) -> list[tuple[Meter, NodeCounter]]:
    """Return the meters that count a counter, with their sources."""
    return [
        (meter, meter.source)
        for meter in METERS.values()
        if isinstance(meter.source, NodeCounter) and meter.source.form == key.form
    ]


def counted_forms() -> set[CounterForm]:
    """Return the forms of the counters that some meter counts."""
    return {meter.source.form for meter in METERS.values() if isinstance(meter.source, NodeCounter)}


def line_label(meter: str, dimensions: Mapping[str, str]) -> str:
    """Return a line's label: ``Connector hours, medium, aws-vpc``."""
    declared = METERS[meter]
    return ", ".join([declared.label, *(dimensions[name] for name in declared.dimensions if name in dimensions)])
