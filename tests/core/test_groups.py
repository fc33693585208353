"""Who is in which group: by name, by labels, through groups in groups; and what a body may say about it."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.check import check_network
from provisioning.core.check.containment import check_containment
from provisioning.core.intent import Group, InvalidIntent, normalise_body
from provisioning.core.intent.limits import GROUPS_OF_ATTACHMENT
from provisioning.core.reach.trace.trace_flow import trace_flow
from provisioning.core.resolve.memberships import GroupMemberships
from provisioning.core.resolve.network import Network
from provisioning.core.values.labels import BadLabel, parse_selector
from tests.core.sample_networks import IntentBuilder, policy, site


def labelled_network() -> IntentBuilder:
    net = IntentBuilder()
    net.add("exchanges", {"name": "eu", "location": "aws-eu-central-1"})
    net.add("segments", {"name": "corp", "default_action": "deny"})
    net.add("groups", {"name": "web", "selector": "tier=web"})
    net.add("groups", {"name": "prod", "selector": "env=prod"})
    net.add("groups", {"name": "audited", "contains": ["web"]})
    net.add("groups", {"name": "everything", "contains": ["audited", "prod"]})
    attachments = [
        {"segment": "corp", "labels": {"tier": "web"}, "prefixes": ["10.1.1.0/24"]},
        {"segment": "corp", "labels": {"tier": "db", "env": "test"}, "prefixes": ["10.1.2.0/24"]},
    ]
    net.add("connectors", {**site("a", "eu", None), "labels": {"env": "prod"}, "attachments": attachments})
    net.add("connectors", site("b", "eu", "prod", "10.2.0.0/16"))
    return net


def groups_at(network: Network, address_of: str) -> list[list[str]]:
    connector = next(one for one in network.intent.connectors.values() if one.name == address_of)
    names = {uid: group.name for uid, group in network.intent.groups.items()}
    return [sorted(names[uid] for uid in attachment.member_of) for attachment in connector.attachments]


def test_members_join_by_name_by_label_and_through_contained_groups() -> None:
    network = labelled_network().network()
    assert groups_at(network, "a") == [["audited", "everything", "prod", "web"], []]
    assert groups_at(network, "b") == [["everything", "prod"]]


def test_a_label_of_an_attachment_overrides_its_connectors() -> None:
    net = labelled_network()
    net.edit("groups", "prod", selector="env=test")
    assert groups_at(net.network(), "a")[1] == ["everything", "prod"]


def test_a_policy_holds_for_any_group_of_its_ends() -> None:
    net = labelled_network()
    net.add("policies", policy("p", 10, "prod", "audited", {"action": "allow", "protocol": "tcp", "ports": ["443"]}))
    network = net.network()

    def disposition(destination: str) -> str:
        return trace_flow(network, "10.2.0.1", destination, "tcp", 443).disposition

    assert disposition("10.1.1.1") == "delivered"
    assert disposition("10.1.2.1") == "denied_by_default"


def test_an_edit_of_a_selector_moves_members_and_keeps_the_other_connectors() -> None:
    net = labelled_network()
    before = net.network()
    net.edit("groups", "web", selector="tier=db")
    after = Network(net.intent(), before)
    assert groups_at(after, "a") == [["everything", "prod"], ["audited", "everything", "web"]]
    uid = net.uid_of("connectors", "b")
    assert after.intent.connectors[uid] is before.intent.connectors[uid]


def test_groups_in_a_circle_are_refused_and_do_not_hang() -> None:
    net = labelled_network()
    net.edit("groups", "web", contains=["everything"])
    problems = [problem for problem in check_network(net.network()) if problem.code == "group_circle"]
    assert [(problem.path, problem.severity) for problem in problems] == [
        ("groups/web/contains[0]", "error"),
        ("groups/audited/contains[0]", "error"),
        ("groups/everything/contains[1]", "error"),
    ]


def group(number: int, *contains: int, selector: str | None = None) -> Group:
    return Group(
        uid=f"g{number}",
        number=number,
        key=f"g{number}",
        name=f"g{number}",
        description="",
        contains=tuple(f"g{inner}" for inner in contains),
        selector=selector,
    )


def test_a_chain_of_many_groups_is_refused_once_and_takes_no_square_of_time_or_memory() -> None:
    chain = [group(0), *(group(number, number - 1) for number in range(1, 50_000))]
    [problem] = check_containment("groups", "group", {each.uid: each for each in chain})
    assert (problem.code, problem.path) == ("too_many_levels", "groups/g16/contains")
    assert len(GroupMemberships(chain).groups_of(["g0"], ())) == GROUPS_OF_ATTACHMENT + 1


def test_groups_between_two_circles_are_in_none() -> None:
    groups = [group(0, 1), group(1, 0), group(2, 1), group(3, 2, 4), group(4, 3), group(5, 5)]
    problems = check_containment("groups", "group", {each.uid: each for each in groups})
    assert [problem.path for problem in problems] == [
        "groups/g0/contains[0]",
        "groups/g1/contains[0]",
        "groups/g3/contains[1]",
        "groups/g4/contains[0]",
        "groups/g5/contains[0]",
    ]


def test_an_attachment_in_more_groups_than_it_may_be_in_is_refused() -> None:
    net = labelled_network()
    for number in range(GROUPS_OF_ATTACHMENT):
        net.add("groups", {"name": f"g{number}", "selector": f"!absent{number}"})
    problems = [problem for problem in check_network(net.network()) if problem.code == "too_many_groups"]
    assert problems and all(problem.severity == "error" for problem in problems)
    assert problems[0].path.startswith("connectors/") and problems[0].path.endswith("/attachments[0]")


def test_a_selector_is_as_short_wherever_it_is_asked_as_in_a_group() -> None:
    with pytest.raises(BadLabel, match="at most 500"):
        parse_selector(", ".join(f"!k{number}" for number in range(5_000)))


def test_a_selector_that_selects_nobody_warns() -> None:
    net = labelled_network()
    net.edit("groups", "prod", selector="env=production")
    [problem] = [problem for problem in check_network(net.network()) if problem.code == "selects_nobody"]
    assert (problem.path, problem.severity) == ("groups/prod/selector", "warning")


@pytest.mark.parametrize(
    ("text", "labels", "selected"),
    [
        ("env=prod", {"env": "prod"}, True),
        ("env=prod", {}, False),
        ("env!=prod", {}, True),
        ("env in (prod, test), tier", {"env": "test", "tier": ""}, True),
        ("env notin (prod, test)", {"env": "dev"}, True),
        ("env notin (prod, test)", {"env": "test"}, False),
        ("!legacy", {"legacy": ""}, False),
        ("tier=", {"tier": ""}, True),
    ],
)
def test_selectors_select_as_in_kubernetes(text: str, labels: dict[str, str], selected: bool) -> None:
    assert parse_selector(text).selects(labels) is selected


def test_a_selector_has_one_spelling() -> None:
    assert str(parse_selector("tier in (web,app),env==prod , !x")) == "env=prod, tier in (app, web), !x"
    assert str(parse_selector(str(parse_selector("b notin (z,y), a")))) == "a, b notin (y, z)"


@pytest.mark.parametrize("text", ["", ",", "a b", "a in ()", "=x", "!a=b", "a in (b", "a=b,,c=d", "ä=1"])
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(BadLabel):
        parse_selector(text)


def body_of(**attachment: Any) -> dict[str, Any]:
    attachments = [{"segment": "corp", "prefixes": ["10.0.0.0/24"], **attachment}]
    body = {"name": "x", "kind": "lab-site", "exchange": "eu", "attachments": attachments}
    return normalise_body("connectors", body, lambda _, name: name)


def test_the_old_single_group_is_still_read() -> None:
    assert body_of(group="prod")["attachments"][0]["groups"] == ["prod"]
    assert body_of(group=None)["attachments"][0]["groups"] == []
    assert body_of(group=None, groups=["dev"])["attachments"][0]["groups"] == ["dev"]
    with pytest.raises(InvalidIntent) as caught:
        body_of(group="prod", groups=["dev"])
    assert [(problem.code, problem.path) for problem in caught.value.problems] == [
        ("contradictory", "attachments[0].group")
    ]


def test_labels_are_texts_with_keys_that_selectors_can_name() -> None:
    assert body_of(labels={"b": "", "a": "1"})["attachments"][0]["labels"] == {"a": "1", "b": ""}
    with pytest.raises(InvalidIntent) as caught:
        body_of(labels={"a b": "x", "c": 1, "d": "a,b"})
    assert [(problem.code, problem.path) for problem in caught.value.problems] == [
        ("bad_label", "attachments[0].labels.a b"),
        ("wrong_type", "attachments[0].labels.c"),
        ("bad_label", "attachments[0].labels.d"),
    ]
