"""The canvas board: segments, cards and policies of a draft, and how the draft changed them."""

from __future__ import annotations

from typing import Any

from portal.pages import canvas_links
from portal.pages.canvas_board import build_board, compare_networks
from portal.pages.rule_text import rule_match_text

CORP, PROD, DEV, FW = "seg-corp", "grp-prod", "grp-dev", "svc-fw"


def connector(name: str, kind: str = "lab-site", group: str | None = None) -> dict[str, Any]:
    attachment = {"segment": CORP, "groups": [group] if group else [], "prefixes": []}
    return {"name": name, "kind": kind, "attachments": [attachment]}


def policy(name: str, start: str, end: str, position: int = 10, **rule: Any) -> dict[str, Any]:
    rule = {"action": "allow", "mode": "enforce", "protocol": "tcp", "ports": ["443"], **rule}
    return {"name": name, "position": position, "segments": [CORP], "from": [start], "to": [end], "rules": [rule]}


def network(**more: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "segments": {CORP: {"name": "corp", "default_action": "allow"}},
        "groups": {PROD: {"name": "prod"}, DEV: {"name": "dev"}},
        "connectors": {
            "c-prod": connector("vpc-prod", "aws-vpc", PROD),
            "c-dev": connector("vpc-dev", "aws-vpc", DEV),
            "c-lone": connector("office"),
            "c-exit": connector("exit-eu", "internet-exit"),
        },
        "policies": {},
        **more,
    }


def names(columns: tuple[list[Any], ...]) -> list[list[str]]:
    return [[card.name for card in column] for column in columns]


def test_a_segment_shows_groups_lone_connectors_and_the_internet_when_it_has_an_exit() -> None:
    (lane,) = build_board(network(), {}).lanes
    assert sorted((card.role, card.name) for card in lane.cards) == [
        ("connector", "office"),
        ("group", "dev"),
        ("group", "prod"),
        ("internet", "internet"),
    ]
    assert [card.name for card in lane.columns[2] if card.role == "internet"] == ["internet"]


def test_a_policy_is_a_line_with_its_ports_on_the_chip() -> None:
    drawn = build_board(network(policies={"p1": policy("web", PROD, DEV)}), {})
    (chip,) = drawn.chips
    assert chip.lines == ((f"at-{CORP}-{PROD}", f"at-{CORP}-{DEV}"),)
    assert (chip.style.tone, chip.words) == ("allow", "tcp/443")
    assert chip.sentence == "web: prod to dev, allow tcp/443"
    columns = names(drawn.lanes[0].columns)
    assert "prod" in columns[0] and "dev" in columns[1]


def test_cyclic_policies_are_laid_out_in_columns() -> None:
    both = {"p1": policy("out", PROD, DEV), "p2": policy("back", DEV, PROD, 20)}
    columns = names(build_board(network(policies=both), {}).lanes[0].columns)
    assert "prod" in columns[0] and "dev" in columns[1]


def test_a_policy_on_a_connector_of_a_group_ends_at_its_row() -> None:
    (chip,) = build_board(network(policies={"p1": policy("one", PROD, "c-dev")}), {}).chips
    assert chip.lines == ((f"at-{CORP}-{PROD}", f"at-{CORP}-c-dev"),)


def test_any_gets_a_card_where_a_policy_names_it() -> None:
    lane = build_board(network(policies={"p1": policy("all", "any", DEV)}), {}).lanes[0]
    assert "any connector" in [card.name for card in lane.cards]


def test_an_inspecting_chip_names_the_service() -> None:
    inspected = network(
        policies={"p1": policy("web", PROD, "internet", action="inspect", services=[FW])},
        services={FW: {"name": "fw", "product": "linux-firewall"}},
    )
    (chip,) = build_board(inspected, {}).chips
    assert (chip.style.tone, chip.words, len(chip.lines)) == ("inspect", "fw", 1)


def test_a_chip_shows_the_mode_of_a_policy_that_enforces_nothing() -> None:
    def chip(**rule: Any) -> tuple[str, str]:
        (drawn,) = build_board(network(policies={"p1": policy("web", PROD, DEV, **rule)}), {}).chips
        return drawn.style.tone, drawn.sentence

    assert chip(mode="monitor") == ("info", "web: prod to dev, monitor tcp/443")
    assert chip(mode="disabled", action="deny") == ("idle", "web: prod to dev, disabled tcp/443")


def test_each_object_shows_how_the_draft_changed_it() -> None:
    base = network(policies={"p1": policy("web", PROD, DEV)})
    draft = network(groups={PROD: {"name": "production"}, "grp-new": {"name": "imaging"}})
    drawn = build_board(draft, base)
    states = {item.name: item.state for item in compare_networks(draft, base)["groups"]}
    assert states == {"production": "changed", "imaging": "new", "dev": "removed"}
    assert [item.name for item in drawn.removed] == ["dev", "web"]
    assert [item.name for item in drawn.unplaced] == ["imaging"]
    assert drawn.edits == 4


def test_flows_are_described_alike_everywhere() -> None:
    assert rule_match_text({"protocol": "tcp", "ports": ["443", "8000-8100"]}) == "tcp/443, 8000-8100"
    assert rule_match_text({"protocol": "any", "ports": []}) == "any"


def test_a_share_starts_at_its_initiator_and_a_policy_to_an_application_ends_at_its_connector() -> None:
    app = {"name": "shop", "connector": "c-exit", "protocol": "tcp", "port": 443, "target": {"connector": "c-prod"}}
    share = {
        "name": "partners",
        "a": {"segment": CORP, "groups": [PROD], "prefixes": [], "internet": True},
        "b": {"segment": "seg-b", "groups": [], "prefixes": ["10.9.0.0/24"], "internet": False},
        "direction": "b-to-a",
        "services": [],
    }
    drawn_network = network(
        segments={
            CORP: {"name": "corp", "default_action": "allow"},
            "seg-b": {"name": "partner", "default_action": "deny"},
        },
        policies={"p1": policy("in", "internet", "app")},
        shares={"s1": share},
        **{"internet-apps": {"app": app}},
    )
    drawn = build_board(drawn_network, {})
    assert drawn.chips[0].lines == ((f"at-{CORP}-internet", f"at-{CORP}-c-prod"),)
    items = compare_networks(drawn_network, {})
    (chip,) = canvas_links.share_chips(items["shares"], drawn.lanes, {CORP: "corp", "seg-b": "partner"})
    assert [start for start, _ in chip.lines] == ["lane-seg-b"] * 2 and chip.words == "internet"
    assert [end for _, end in chip.lines] == [f"at-{CORP}-{PROD}", f"at-{CORP}-internet"]
    assert chip.sentence == "Share partners: corp from partner, with the internet of corp"
    canvas_links.add_badges(drawn, items)
    badged = {
        member.name: [badge.word for badge in member.badges]
        for card in drawn.lanes[0].cards
        for _, member in card.members
    }
    assert badged["vpc-prod"] == badged["exit-eu"] == ["internet application: shop"]
    assert badged["vpc-dev"] == []
