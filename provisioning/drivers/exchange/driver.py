"""The exchange driver: publishes sections to exchange nodes; a change holds when every node concerned reports it.

Nodes carry their documents out by themselves (provisioning/agent). Writing sections and reading reports is left to the
context's ``sections`` (services/node_sections.py); this driver decides when a change holds, and when waiting is of no
use any more. A node that reports is slow at worst, and says itself when it cannot. A silent one has REPORT_TIMEOUT from
when it could last have been heard: while no node at all is heard, it may be the portal that was away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from provisioning.core.node_document import VERSION, body_version
from provisioning.core.values.resource import Change
from provisioning.drivers.base import Done, DriverContext, DriverError, ObservedResource, PublishedSection, Waiting

REPORT_TIMEOUT = timedelta(seconds=60)
"""How long a node may be silent, or run an outdated agent, before the step fails."""


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
        if not late:
            context.sections.delete_removed(change.address)
            return Done({}, change.after)
        listening_since = context.sections.listening_since()
        if error := _section_error(late, listening_since, datetime.now(UTC)):
            # Forgotten, so that a retry publishes and waits again.
            context.sections.reset(change.address, [section.node for section in late])
            raise error
        return Waiting(1.0, _waiting_note(late, listening_since))

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


def _waiting_note(late: Sequence[PublishedSection], listening_since: datetime | None) -> str:
    if outdated := [section for section in late if section.is_outdated]:
        return _outdated_text(outdated)
    if silent := [section for section in late if section.reporting_since is None]:
        others = "" if listening_since else "; no node reports to the portal at present"
        return f"Waiting for node {_names(silent)}, {_last_heard(silent)}{others}"
    return f"Waiting for node {_names(late)}"


def _outdated_text(outdated: Sequence[PublishedSection]) -> str:
    known = min(section.document_version or 0 for section in outdated)
    return f"Node {_names(outdated)} runs an agent that knows document version {known}, this is {VERSION}: upgrade it"


def _last_heard(silent: Sequence[PublishedSection]) -> str:
    seen_at = max((section.seen_at for section in silent if section.seen_at), default=None)
    return f"last heard of at {seen_at:%H:%M:%S} UTC" if seen_at else "never heard of"


def _names(sections: Sequence[PublishedSection]) -> str:
    return ", ".join(section.node for section in sections)


def _section_error(
    late: Sequence[PublishedSection], listening_since: datetime | None, now: datetime
) -> DriverError | None:
    """Return why it is of no use to wait any longer for these sections, if it is."""
    for section in late:
        # An agent that does not know the document may well fail in it; what helps is an upgrade.
        if section.failure and not section.is_outdated:
            message = f"Node {section.node} could not carry it out: {section.failure}"
            return DriverError(message, call="exchange.apply", code="node_failed", permanent=True)
    if outdated := [
        section for section in late if section.is_outdated and _is_overdue(section, section.reporting_since, now)
    ]:
        message = f"{_outdated_text(outdated)}, then retry."
        return DriverError(message, call="exchange.apply", code="node_outdated", permanent=True)
    if silent := [
        section for section in late if section.reporting_since is None and _is_overdue(section, listening_since, now)
    ]:
        message = (
            f"Node {_names(silent)} has not reported within {REPORT_TIMEOUT.seconds} s ({_last_heard(silent)}), while "
            "others did. Look at the node, then retry."
        )
        return DriverError(message, call="exchange.apply", code="node_silent", permanent=True)
    return None


def _is_overdue(section: PublishedSection, heard_since: datetime | None, now: datetime) -> bool:
    """Return whether REPORT_TIMEOUT has passed since the section was there to fetch and its node could be heard."""
    return heard_since is not None and now - max(section.published_at, heard_since) > REPORT_TIMEOUT
