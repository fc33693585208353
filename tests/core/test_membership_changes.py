"""Who joins and leaves groups by labels, selectors and groups in groups, and what a plan says about it."""

from __future__ import annotations

from provisioning.core.plan import compare_memberships, render_plan
from provisioning.core.resolve.memberships import MembershipReason, membership_reasons
from tests.core.sample_networks import IntentBuilder
from tests.core.test_groups import labelled_network


def changes(before: IntentBuilder, after: IntentBuilder) -> list[str]:
    return [str(change) for change in compare_memberships(before.network().intent, after.network().intent)]


def test_each_reason_of_a_membership_is_told() -> None:
    net = labelled_network()
    net.edit("groups", "web", selector="env=prod, tier in (web, db), !legacy")
    intent = net.network().intent
    a = intent.connectors[net.uid_of("connectors", "a")]
    web, everything = (intent.groups[net.uid_of("groups", name)] for name in ("web", "everything"))
    assert membership_reasons(web, a, a.attachments[0]) == (
        MembershipReason("labels", labels="env=prod, !legacy, tier=web"),
    )
    assert membership_reasons(web, a, a.attachments[1]) == ()
    assert membership_reasons(everything, a, a.attachments[0]) == (
        MembershipReason("group", group=net.uid_of("groups", "prod")),
        MembershipReason("group", group=net.uid_of("groups", "audited")),
    )
    b = intent.connectors[net.uid_of("connectors", "b")]
    prod = intent.groups[net.uid_of("groups", "prod")]
    assert membership_reasons(prod, b, b.attachments[0]) == (MembershipReason("name"),)


def test_a_label_that_changes_says_which_groups_are_joined_and_left() -> None:
    before, after = labelled_network(), labelled_network()
    after.edit("connectors", "a", labels={"env": "test"})
    assert changes(before, after) == [
        "a in corp with 10.1.1.0/24 leaves prod because env=test",
    ]
    after.edit("connectors", "b", labels={"tier": "web"})
    assert changes(before, after)[1:] == [
        "b in corp joins audited because it is in web",
        "b in corp joins web because tier=web",
    ]


def test_a_selector_that_changes_and_a_group_taken_out_of_another_are_told() -> None:
    before, after = labelled_network(), labelled_network()
    after.edit("groups", "prod", selector=None)
    after.edit("groups", "audited", contains=[])
    assert changes(before, after) == [
        "a in corp with 10.1.1.0/24 leaves audited because audited does not contain web",
        "a in corp with 10.1.1.0/24 leaves everything because it leaves prod",
        "a in corp with 10.1.1.0/24 leaves prod because prod selects by no labels",
    ]


def test_who_joins_by_name_is_not_told_again() -> None:
    before, after = labelled_network(), labelled_network()
    [attachment] = after.rows[after.uid_of("connectors", "b")][4]["attachments"]
    after.edit("connectors", "b", attachments=[{**attachment, "groups": ["web"]}])
    assert (
        changes(before, after)
        == [
            "b in corp joins audited because it is in web",
            "b in corp leaves prod because no env",
        ][:1]
    )


def test_the_plan_says_why() -> None:
    before, after = labelled_network(), labelled_network()
    after.edit("connectors", "b", labels={"tier": "web"})
    memberships = compare_memberships(before.network().intent, after.network().intent)
    assert "\nGroups\n  + b in corp joins audited because it is in web\n" in render_plan([], (), memberships)
