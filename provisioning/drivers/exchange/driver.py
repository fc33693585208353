"""The exchange driver: publishes sections to exchange nodes; a change holds when every node concerned reports it.

Nodes carry their documents out by themselves (provisioning/agent). Writing sections and reading reports is left to the
context's ``sections`` (services/node_sections.py); this driver decides when a change holds, and when waiting is of no
use any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from provisioning.core.node_document import VERSION, body_version
from provisioning.core.values.resource import Change
from provisioning.drivers.base import Done, DriverContext, DriverError, ObservedResource, PublishedSection, Waiting

REPORT_TIMEOUT = timedelta(seconds=60)
"""How long a node may take to carry a section out before the step says so."""


class ExchangeDriver:
    replace_on: dict[str, frozenset[str]] = {}

    def apply(self, change: Change, context: DriverContext) -> Done | Waiting:
        if change.after is not None and body_version(change.after) != VERSION:
            message = (
                f"This step was planned by an older release, in document version {body_version(change.after)}; nodes "
                f"are given version {VERSION} now. Retry the run, which plans it again."
            )
            raise DriverError(message, call="exchange.apply", code="outdated_plan", permanent=True)
        late = [section for section in context.sections.publish(change) if not section.is_applied]
        if error := _section_error(late, datetime.now(UTC)):
            # Forgotten, so that a retry publishes and waits again.
            context.sections.reset(change.address, [section.node for section in late])
            raise error
        if late:
            return Waiting(1.0, _waiting_note(late))
        context.sections.delete_removed(change.address)
        return Done({}, change.after)

    def observe(self, desired: Iterable[Change], context: DriverContext) -> list[ObservedResource]:
        """Return what was last published, where it is what is desired."""
        return [
            ObservedResource(
                change.address,
                change.kind,
                change.after if change.after is not None and context.sections.is_published(change) else None,
                {},
            )
            for change in desired
        ]


def _waiting_note(late: Sequence[PublishedSection]) -> str:
    outdated = [section for section in late if section.is_outdated]
    if outdated:
        return _outdated_text(outdated)
    return f"Waiting for node {', '.join(section.node for section in late)}"


def _outdated_text(outdated: Sequence[PublishedSection]) -> str:
    names = ", ".join(section.node for section in outdated)
    known = min(section.document_version or 0 for section in outdated)
    return f"Node {names} runs an agent that knows document version {known}, this is {VERSION}: upgrade it"


def _section_error(late: Sequence[PublishedSection], now: datetime) -> DriverError | None:
    """Return why it is of no use to wait any longer for these sections, if it is."""
    for section in late:
        # An agent that does not know the document may well fail in it; what helps is an upgrade.
        if section.failure and not section.is_outdated:
            message = f"Node {section.node} could not carry it out: {section.failure}"
            return DriverError(message, call="exchange.apply", code="node_failed", permanent=True)
    if not late or now - min(section.published_at for section in late) <= REPORT_TIMEOUT:
        return None
    if outdated := [section for section in late if section.is_outdated]:
        message = f"{_outdated_text(outdated)}, then retry."
        return DriverError(message, call="exchange.apply", code="node_outdated", permanent=True)
    names = ", ".join(section.node for section in late)
    seen_at = max((section.seen_at for section in late if section.seen_at), default=None)
    heard = f"last heard of at {seen_at:%H:%M:%S} UTC" if seen_at else "never heard of"
    message = (
        f"Node {names} has not reported within {REPORT_TIMEOUT.seconds} s ({heard}). Look at the node, then retry."
    )
    return DriverError(message, call="exchange.apply", code="node_silent", permanent=True)
