"""Who is in a group and why, which groups a connector is in, and whom a selector would select; in the API's shapes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provisioning.core.intent import Attachment, Connector, Intent
from provisioning.core.resolve.memberships import MembershipReason, membership_reasons, merge_labels
from provisioning.core.values.labels import LabelSelector
from provisioning.errors import ObjectNotFound
from provisioning.snapshots import tenant_cache
from provisioning.snapshots.queries import Snapshot, StoredObject

Row = dict[str, Any]


def list_members(snapshot: Snapshot, uid: str) -> list[Row]:
    """Return the attachments in a group, by the names of their connectors. Raises ObjectNotFound."""
    intent = tenant_cache.load_network(snapshot).intent
    if uid not in intent.groups:
        raise ObjectNotFound("There is no such group here.")
    return [
        _member(intent, connector, index) | {"reasons": _reasons(intent, uid, connector, attachment)}
        for connector, index, attachment in _attachments(_by_name(intent.connectors.values()))
        if uid in attachment.member_of
    ]


def members_beyond_names(snapshot: Snapshot, group: str) -> list[int] | None:
    """Return the numbers of the connectors in a group; None where all of them name it, or there is no such group."""
    body = tenant_cache.load_objects(snapshot).body("groups", group)
    if not body or not (body["selector"] or body["contains"]):
        return None
    connectors = tenant_cache.load_network(snapshot).intent.connectors.values()
    return [each.number for each in connectors if any(group in own.member_of for own in each.attachments)]


def groups_of_attachments(
    snapshot: Snapshot, groups: Sequence[StoredObject], connectors: Iterable[StoredObject]
) -> dict[str, list[list[str]]]:
    """Return connector → the names of the groups of each of its attachments; ``groups``: all of the snapshot."""
    names = {group.uid: group.name for group in groups}
    if any(group.body["selector"] or group.body["contains"] for group in groups):
        resolved = tenant_cache.load_network(snapshot).intent.connectors
        uids = {row.uid: [each.member_of for each in resolved[row.uid].attachments] for row in connectors}
    else:
        uids = {row.uid: [attachment["groups"] for attachment in row.body["attachments"]] for row in connectors}
    return {uid: [sorted(names[group] for group in joined) for joined in joins] for uid, joins in uids.items()}


def list_groups_of(snapshot: Snapshot, uid: str) -> list[Row]:
    """Return the groups that each attachment of a connector is in, by name. Raises ObjectNotFound."""
    intent = tenant_cache.load_network(snapshot).intent
    if uid not in intent.connectors:
        raise ObjectNotFound("There is no such connector here.")
    rows = [
        {
            **_place(intent, attachment, index),
            "group": {"id": group, "name": intent.groups[group].name},
            "reasons": _reasons(intent, group, holder, attachment),
        }
        for holder, index, attachment in _attachments([intent.connectors[uid]])
        for group in intent.groups.keys() & attachment.member_of
    ]
    return sorted(rows, key=lambda row: (row["group"]["name"], row["attachment"]))


def list_selected(snapshot: Snapshot, selector: LabelSelector) -> list[Row]:
    """Return the attachments that a selector selects, by the names of their connectors."""
    intent = tenant_cache.load_network(snapshot).intent
    return [
        _member(intent, connector, index)
        for connector, index, attachment in _attachments(_by_name(intent.connectors.values()))
        if selector.selects(dict(merge_labels(connector.labels, attachment.labels)))
    ]


def _by_name(connectors: Iterable[Connector]) -> list[Connector]:
    return sorted(connectors, key=lambda connector: connector.name)


def _attachments(connectors: Iterable[Connector]) -> Iterator[tuple[Connector, int, Attachment]]:
    return (
        (connector, index, attachment)
        for connector in connectors
        for index, attachment in enumerate(connector.attachments)
    )


def _member(intent: Intent, connector: Connector, index: int) -> Row:
    named = {"id": connector.uid, "name": connector.name, "kind": connector.kind}
    return {"connector": named, **_place(intent, connector.attachments[index], index)}


def _place(intent: Intent, attachment: Attachment, index: int) -> Row:
    segment = intent.segments[attachment.segment]
    return {
        "attachment": index,
        "segment": {"id": segment.uid, "name": segment.name},
        "prefixes": list(attachment.prefixes),
    }


def _reasons(intent: Intent, group: str, connector: Connector, attachment: Attachment) -> list[Row]:
    reasons = membership_reasons(intent.groups[group], connector, attachment)
    return [_reason(intent, reason) for reason in reasons]


def _reason(intent: Intent, reason: MembershipReason) -> Row:
    through = {"id": reason.group, "name": intent.groups[reason.group].name} if reason.group else None
    return {"by": reason.by, "labels": reason.labels, "group": through}
