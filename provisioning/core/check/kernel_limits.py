"""Numbers of objects that do not fit where the nodes' kernels have to hold them."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.intent.circuits import MAX_INTERFACE_NAME, circuit_interface
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem

MAX_VNI = (1 << 24) - 1
"""A segment's number is its VXLAN network identifier, which has 24 bits (RFC 7348, section 5)."""


def check_segment_numbers(network: Network) -> Iterator[Problem]:
    for segment in network.intent.segments.values():
        if segment.number > MAX_VNI:
            yield Problem(
                "number_too_large",
                f"segments/{segment.key}",
                f"Segment “{segment.name}” has number {segment.number:,}, and VXLAN tells only {MAX_VNI:,} segments "
                "apart. This installation has used up its numbers: delete the segment, and ask the operator for "
                "another installation.",
            )


def check_interface_names(network: Network) -> Iterator[Problem]:
    """Two numbers make the name of an interface; cut to what Linux takes, two circuits could have the same."""
    segments, connectors = network.intent.segments, network.intent.connectors
    largest = [max((each.number for each in objects.values()), default=0) for objects in (connectors, segments)]
    if len(circuit_interface(largest[0], "a", largest[1])) <= MAX_INTERFACE_NAME:
        return  # what every network but that of an old installation meets: an edit costs no name for each connector
    for connector in connectors.values():
        numbers = [segments[each.segment].number for each in connector.attachments if each.segment in segments]
        interface = circuit_interface(connector.number, "a", max(numbers, default=0))
        if len(interface) > MAX_INTERFACE_NAME:
            yield Problem(
                "number_too_large",
                f"connectors/{connector.key}",
                f"Connector “{connector.name}” needs an interface “{interface}”, and Linux takes names of "
                f"{MAX_INTERFACE_NAME} characters. The numbers of this connector and its segment are too large: attach "
                "it to an older segment, or ask the operator for another installation.",
            )
