"""Groups in groups, attachments in very many groups, and selectors that select nobody."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from provisioning.core.check.containment import check_containment
from provisioning.core.intent import Connector, Group
from provisioning.core.intent.limits import GROUPS_OF_ATTACHMENT
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.memberships import GroupMemberships, merge_labels
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem

_GROUPS_OF_CONNECTOR = DerivedKey[frozenset[str]]("groups that a connector's attachments are in")
_CROWDED_ATTACHMENT = DerivedKey[int]("attachments that are in too many groups")


def check_groups_in_groups(network: Network) -> Iterator[Problem]:
    yield from check_containment("groups", "group", network.intent.groups)


def check_group_counts(network: Network) -> Iterator[Problem]:
    """Report connectors with an attachment in more groups than it may be in, whatever the reasons."""
    crowded = network.derived.get_by_object(_CROWDED_ATTACHMENT, network.intent.connectors, _crowded_attachment)
    for uid, index in crowded.items():
        connector = network.intent.connectors[uid]
        yield Problem(
            "too_many_groups",
            f"connectors/{connector.key}/attachments[{index - 1}]",
            f"An attachment of connector “{connector.name}” is in more than {GROUPS_OF_ATTACHMENT:,} groups, by name, "
            "by its labels or through groups in groups. Narrow the selectors, or contain it in fewer groups.",
        )


def _crowded_attachment(connector: Connector) -> int:
    """Return the place of the first attachment in too many groups, from 1; 0 where there is none."""
    counts = [len(attachment.member_of) for attachment in connector.attachments]
    return next((place for place, count in enumerate(counts, 1) if count > GROUPS_OF_ATTACHMENT), 0)


def check_selectors(network: Network) -> Iterator[Problem]:
    """Warn about selectors that select no attachment of an enabled connector."""
    selecting = [group for group in network.intent.groups.values() if group.selector]
    if not selecting:
        return
    members = network.derived.get_by_object(
        _GROUPS_OF_CONNECTOR,
        network.intent.connectors,
        partial(_selected_groups, GroupMemberships(selecting)),
        shared=tuple(selecting),
    )
    selected = frozenset().union(*members.values())
    yield from (_selects_nobody(group) for group in selecting if group.uid not in selected)


def _selected_groups(memberships: GroupMemberships, connector: Connector) -> frozenset[str]:
    if not connector.enabled:
        return frozenset()
    return frozenset[str]().union(
        *(
            memberships.selected_by(merge_labels(connector.labels, attachment.labels))
            for attachment in connector.attachments
        )
    )


def _selects_nobody(group: Group) -> Problem:
    return Problem(
        "selects_nobody",
        f"groups/{group.key}/selector",
        f"No attachment has the labels that group “{group.name}” selects ({group.selector}). Compare the keys and "
        "values with those of your connectors, or label them.",
        "warning",
    )
