"""Internet exits that carry nothing."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import EXAMPLE_INTERNET_ADDRESS
from provisioning.core.values.resource import Problem


def check_unused_exits(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Warn about exits of a segment whose members have every public address, by a default route as a rule."""
    if not resolved.exits or resolved.exit_ranges:
        return
    owner = resolved.owner(EXAMPLE_INTERNET_ADDRESS)
    assert owner is not None, "no public address is left for an exit"
    for member in resolved.members:
        if member.is_exit:
            yield Problem(
                "exit_unused",
                f"connectors/{member.connector.key}",
                f"Nothing leaves through internet exit “{member.connector.name}” in segment “{resolved.segment.name}”: "
                f"“{owner.connector.name}” has every public address there, by its default route. Remove the one or the "
                "other.",
                "warning",
            )
