"""Which groups an attachment is in: those that it names, those whose selectors select it, and those that contain these.

An intent says the first only. A network replaces the connectors for which it is more (``with_memberships``), so that
all that is derived from them sees every group and no selector.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Literal

from provisioning.core.intent import Attachment, Connector, Group, Intent
from provisioning.core.intent.limits import GROUPS_OF_ATTACHMENT
from provisioning.core.resolve.derived import Derived, DerivedKey
from provisioning.core.values.labels import LabelSelector, parse_selector

_RESOLVED_CONNECTORS = DerivedKey[Connector | None]("connectors whose attachments are in more groups than they name")

Labels = tuple[tuple[str, str], ...]
"""Labels of an attachment with those of its connector, by key."""


class GroupMemberships:
    """The selectors and the groups in groups of a network. ``groups``: those that have either, by number."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = groups
        self._selected: dict[Labels, tuple[str, ...]] = {}
        self._tuples: dict[tuple[str, ...], tuple[str, ...]] = {}

    @cached_property
    def _selectors(self) -> dict[tuple[str, str], list[tuple[str, LabelSelector]]]:
        """A key and a value that an attachment must have → groups with their selectors; empty texts: any will do."""
        by_label: dict[tuple[str, str], list[tuple[str, LabelSelector]]] = {}
        for group in self.groups:
            if group.selector:
                selector = parse_selector(group.selector)
                required = (one for one in selector.requirements if one.values and not one.negated)
                first = next(required, None)
                for label in [(first.key, value) for value in first.values] if first else [("", "")]:
                    by_label.setdefault(label, []).append((group.uid, selector))
        return by_label

    @cached_property
    def _containing(self) -> dict[str, list[str]]:
        """Group → the groups that name it."""
        containing: dict[str, list[str]] = {}
        for group in self.groups:
            for inner in group.contains:
                containing.setdefault(inner, []).append(group.uid)
        return containing

    def groups_of(self, named: Iterable[str], labels: Labels) -> frozenset[str]:
        """Return all groups of an attachment that names some and has these labels; of too many (``check``) only some.

        A circle ends the search.
        """
        groups = set(self.selected_by(labels)).union(named)
        pending = list(groups)
        while pending:
            for outer in self._containing.get(pending.pop(), ()):
                if len(groups) > GROUPS_OF_ATTACHMENT:
                    return frozenset(groups)
                if outer not in groups:
                    groups.add(outer)
                    pending.append(outer)
        return frozenset(groups)

    def selected_by(self, labels: Labels) -> tuple[str, ...]:
        """Return the groups whose selectors select these labels; of too many (``check``) only some."""
        selected = self._selected.get(labels)
        if selected is None:
            values = dict(labels)
            candidates = (pair for label in (("", ""), *labels) for pair in self._selectors.get(label, ()))
            selecting = (uid for uid, selector in candidates if selector.selects(values))
            selected = self._shared_tuple(islice(selecting, GROUPS_OF_ATTACHMENT + 1))
            self._selected[labels] = selected
        return selected

    def _shared_tuple(self, uids: Iterable[str]) -> tuple[str, ...]:
        """Return them sorted, as the one tuple of all that are in the same groups."""
        ordered = tuple(sorted(uids))
        return self._tuples.setdefault(ordered, ordered)

    def resolve(self, connector: Connector) -> Connector | None:
        """Return the connector with the groups of its attachments; None where they are those that it names."""
        resolved = [
            self.groups_of(attachment.groups, merge_labels(connector.labels, attachment.labels))
            for attachment in connector.attachments
        ]
        pairs = list(zip(connector.attachments, resolved, strict=True))
        if all(len(groups) == len(attachment.groups) for attachment, groups in pairs):
            return None
        attachments = tuple(
            replace(attachment, resolved_groups=self._shared_tuple(groups)) for attachment, groups in pairs
        )
        return replace(connector, attachments=attachments)


def merge_labels(connector: Mapping[str, str], attachment: Mapping[str, str]) -> Labels:
    """Return the labels of an attachment with those of its connector; of one key its own count."""
    return tuple(sorted({**connector, **attachment}.items()) if attachment else connector.items())


@dataclass(frozen=True, slots=True)
class MembershipReason:
    """Why an attachment is in a group: it names the group, or its ``labels`` are those that the group selects by, or it
    is in ``group``, which the group contains."""

    by: Literal["name", "labels", "group"]
    labels: str = ""
    group: str | None = None


def membership_reasons(group: Group, connector: Connector, attachment: Attachment) -> tuple[MembershipReason, ...]:
    """Return every reason why an attachment of a network is in a group; none where it is not."""
    reasons = [MembershipReason("name")] if group.uid in attachment.groups else []
    labels = dict(merge_labels(connector.labels, attachment.labels))
    if group.selector and (selector := parse_selector(group.selector)).selects(labels):
        reasons.append(MembershipReason("labels", labels=selector.met_by(labels)))
    inner = (uid for uid in group.contains if uid in attachment.member_of)
    return (*reasons, *(MembershipReason("group", group=uid) for uid in inner))


def with_memberships(intent: Intent, derived: Derived, previous: Mapping[str, Connector]) -> Intent:
    """Return the intent with every group of every attachment.

    previous: connectors of the version before; those that did not change stay the same objects.
    """
    groups = tuple(group for group in intent.groups.values() if group.selector or group.contains)
    if not groups:
        return intent
    memberships = GroupMemberships(groups)

    def resolve(connector: Connector) -> Connector | None:
        resolved, before = memberships.resolve(connector), previous.get(connector.uid)
        return before if resolved == before else resolved

    resolved = derived.get_by_object(_RESOLVED_CONNECTORS, intent.connectors, resolve, shared=groups)
    return replace(
        intent, connectors={uid: resolved.get(uid) or connector for uid, connector in intent.connectors.items()}
    )
