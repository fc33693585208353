"""Groups that contain themselves, and selectors that select nobody."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from provisioning.core.intent import Connector, Group
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.memberships import GroupMemberships, merge_labels
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem

_GROUPS_OF_CONNECTOR = DerivedKey[frozenset[str]]("groups that a connector's attachments are in")


def check_group_circles(network: Network) -> Iterator[Problem]:
    """Report groups that contain themselves, directly or through others."""
    groups = network.intent.groups
    containing = GroupMemberships([group for group in groups.values() if group.contains]).containing
    for group in groups.values():
        if group.uid in containing.get(group.uid, ()):
            index, inner = next(
                (index, groups[uid])
                for index, uid in enumerate(group.contains)
                if uid == group.uid or uid in containing[group.uid]
            )
            through = "itself" if inner is group else f"group “{inner.name}”, which contains it"
            yield Problem(
                "group_circle",
                f"groups/{group.key}/contains[{index}]",
                f"Group “{group.name}” contains {through}. Take one of them out.",
            )


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
