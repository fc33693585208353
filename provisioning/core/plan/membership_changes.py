"""Who joins and leaves groups without naming them: by labels, by selectors, through groups in groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from provisioning.core.intent import Attachment, Connector, Group, Intent
from provisioning.core.resolve.memberships import MembershipReason, membership_reasons, merge_labels
from provisioning.core.values.labels import parse_selector


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """``attachment``: ``vpc-prod in corp``, with its prefixes where the connector is in the segment more than once."""

    attachment: str
    group: str
    joins: bool
    because: str

    def __str__(self) -> str:
        verb = "joins" if self.joins else "leaves"
        return f"{self.attachment} {verb} {self.group} because {self.because}"


def compare_memberships(before: Intent, after: Intent) -> list[MembershipChange]:
    """Return the changes between the intents of two networks, by connector.

    Attachments are compared by their place among those of the connector. What names the group is told elsewhere.
    """
    changes: list[MembershipChange] = []
    for uid, connector in after.connectors.items():
        previous = before.connectors.get(uid)
        if previous is not connector:
            changes += _compare_connector(before, after, previous, connector)
    return changes


def _compare_connector(
    before: Intent, after: Intent, previous: Connector | None, connector: Connector
) -> Iterator[MembershipChange]:
    old = previous.attachments if previous else ()
    for index, attachment in enumerate(connector.attachments):
        was = old[index] if index < len(old) else None
        old_groups, new_groups = set(was.member_of if was else ()), set(attachment.member_of)
        label = _label(after, connector, attachment)
        for uid in _by_name(after, new_groups - old_groups):
            reasons = membership_reasons(after.groups[uid], connector, attachment)
            if reasons and reasons[0].by != "name":
                yield MembershipChange(label, after.groups[uid].name, joins=True, because=_why_in(after, reasons[0]))
        for uid in _by_name(before, old_groups - new_groups):
            assert previous is not None and was is not None
            reasons = membership_reasons(before.groups[uid], previous, was)
            if reasons and reasons[0].by != "name" and uid in after.groups:
                because = _why_out(after, after.groups[uid], reasons[0], connector, attachment)
                yield MembershipChange(label, after.groups[uid].name, joins=False, because=because)


def _by_name(intent: Intent, groups: Iterable[str]) -> list[str]:
    return sorted(intent.groups.keys() & groups, key=lambda uid: intent.groups[uid].name)


def _label(intent: Intent, connector: Connector, attachment: Attachment) -> str:
    segment = intent.segments[attachment.segment].name
    is_only_one = sum(other.segment == attachment.segment for other in connector.attachments) == 1
    prefixes = "" if is_only_one else f" with {', '.join(attachment.prefixes)}"
    return f"{connector.name} in {segment}{prefixes}"


def _why_in(intent: Intent, reason: MembershipReason) -> str:
    return f"it is in {intent.groups[reason.group].name}" if reason.group else reason.labels


def _why_out(
    after: Intent, group: Group, reason: MembershipReason, connector: Connector, attachment: Attachment
) -> str:
    if reason.group is None and group.selector:
        return parse_selector(group.selector).unmet_by(dict(merge_labels(connector.labels, attachment.labels)))
    if reason.group is None:
        return f"{group.name} selects by no labels"
    inner = after.groups.get(reason.group)
    if inner is None or inner.uid not in group.contains:
        return f"{group.name} does not contain {inner.name if inner else 'its group'}"
    return f"it leaves {inner.name}"
