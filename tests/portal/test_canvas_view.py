"""The canvas of a network with many connectors: collapsed by group and exchange, searched, filtered, opened."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.test import Client

from portal.pages.canvas_board import MOST_LONE_CARDS, build_board
from portal.pages.canvas_cards import Board
from portal.pages.canvas_view import MOST_MEMBERS, MOST_ROWS, BoardView
from tests.people import People
from tests.portal.test_canvas_board import CORP, DEV, PROD, connector, network, policy

STORES = 200


def large_network(group: str | None = None, **more: Any) -> dict[str, dict[str, Any]]:
    """Return a network of many connectors at two exchanges, in a group or in none."""
    stores = {
        f"c-{number:03}": {**connector(f"store-{number:03}", group=group), "exchange": ("eu", "us")[number % 2]}
        for number in range(STORES)
    }
    exchanges = {"eu": {"name": "Frankfurt"}, "us": {"name": "Ashburn"}}
    return network(connectors=stores, exchanges=exchanges, **more)


def shown_members(board: Board) -> dict[str, list[str]]:
    return {card.name: [member.name for _, member in card.members] for lane in board.lanes for card in lane.cards}


def test_many_connectors_without_a_group_share_a_card_for_each_exchange() -> None:
    (lane,) = build_board(large_network(), {}).lanes
    assert sorted((card.role, card.name, card.member_count) for card in lane.cards) == [
        ("exchange", "Ashburn", STORES // 2),
        ("exchange", "Frankfurt", STORES // 2),
    ]
    assert lane.count_text == f"{STORES} connectors"
    assert {len(names) for names in shown_members(build_board(large_network(), {})).values()} == {MOST_MEMBERS}


def test_a_few_connectors_without_a_group_keep_their_cards() -> None:
    few = {f"c-{number}": connector(f"site-{number}") for number in range(MOST_LONE_CARDS)}
    (lane,) = build_board(network(connectors=few), {}).lanes
    assert {card.role for card in lane.cards} == {"connector"}


def test_a_collapsed_card_shows_first_what_the_draft_changed_and_what_lines_end_at() -> None:
    base = large_network(PROD, policies={"p1": policy("web", DEV, "c-150")})
    draft = large_network(PROD, policies={"p1": policy("web", DEV, "c-150")})
    draft["connectors"]["c-199"] = connector("store-199", "internet-gateway", PROD)
    (names,) = shown_members(build_board(draft, base)).values()
    assert len(names) == MOST_MEMBERS
    assert {"store-150", "store-199"} <= set(names)


def test_a_line_to_a_connector_that_is_not_shown_ends_at_its_card() -> None:
    policies = {f"p{number}": policy(f"to-{number}", "c-000", f"c-{number:03}") for number in range(1, 20)}
    board = build_board(large_network(PROD, policies=policies), {})
    card = next(card for lane in board.lanes for card in lane.cards if card.ref == PROD)
    (chip,) = (chip for chip in board.chips if chip.item.name == "to-19")
    assert chip.lines == ((f"at-{CORP}-c-000", card.element_id),)


def test_an_opened_card_shows_all_its_connectors() -> None:
    board = build_board(large_network(PROD), {})
    (card,) = (card for lane in board.lanes for card in lane.cards)
    opened = build_board(large_network(PROD), {}, BoardView(opened=frozenset({card.element_id})))
    assert len(shown_members(opened)["prod"]) == STORES


def test_a_search_finds_connectors_by_name_and_prefix_and_leaves_the_rest_out() -> None:
    several = large_network()
    several["segments"]["seg-b"] = {"name": "partner", "default_action": "deny"}
    several["connectors"]["c-007"]["attachments"][0]["prefixes"] = ["10.77.0.0/24"]
    assert shown_members(build_board(several, {}, BoardView(find="STORE-00"))) == {
        "Frankfurt": ["store-000", "store-002", "store-004", "store-006", "store-008"],
        "Ashburn": ["store-001", "store-003", "store-005", "store-007", "store-009"],
    }
    assert shown_members(build_board(several, {}, BoardView(find="10.77."))) == {"Ashburn": ["store-007"]}
    assert [lane.segment.name for lane in build_board(several, {}, BoardView(find="partner")).lanes] == ["partner"]
    assert build_board(several, {}, BoardView(find="nothing")).lanes == []


def test_chosen_segments_are_shown_and_policies_without_a_line_in_them_are_not() -> None:
    several = network(policies={"p1": policy("web", PROD, DEV)})
    several["segments"]["seg-b"] = {"name": "partner", "default_action": "deny"}
    partner = build_board(several, {}, BoardView(segments=frozenset({"seg-b"})))
    assert ([lane.segment.name for lane in partner.lanes], partner.chips) == (["partner"], [])
    corp = build_board(several, {}, BoardView(segments=frozenset({CORP})))
    assert [chip.item.name for chip in corp.chips] == ["web"]
    assert partner.unplaced == corp.unplaced == []


SEGMENTS = 40


def network_of_segments() -> dict[str, dict[str, Any]]:
    """Return a network whose segments have five groups of four connectors each, and a policy between two of them."""
    segments = {f"s-{number}": {"name": f"vrf-{number}", "default_action": "deny"} for number in range(SEGMENTS)}
    groups = {f"g-{number}": {"name": f"app-{number}"} for number in range(SEGMENTS * 5)}
    connectors = {}
    for number in range(SEGMENTS * 20):
        site = connector(f"site-{number:03}")
        site["attachments"][0] |= {"segment": f"s-{number % SEGMENTS}", "groups": [f"g-{number % (SEGMENTS * 5)}"]}
        connectors[f"c-{number}"] = site
    within = {**policy("within", "g-0", f"g-{SEGMENTS}"), "segments": ["s-0"]}
    return network(segments=segments, groups=groups, connectors=connectors, policies={"p1": within})


def test_segments_of_a_large_network_collapse_and_say_what_they_hold() -> None:
    board = build_board(network_of_segments(), {})
    assert len(board.lanes) == SEGMENTS and not any(lane.cards for lane in board.lanes)
    first = board.lanes[0]
    assert (first.count_text, first.hidden_connector_count, first.hidden_changed_count) == ("5 groups", 20, 25)
    assert board.chips == []


def test_an_opened_or_chosen_segment_and_the_one_of_the_selected_object_show_their_cards() -> None:
    large = network_of_segments()
    for view in (
        BoardView(opened=frozenset({"lane-s-0"})),
        BoardView(segments=frozenset({"s-0"})),
        BoardView(selected="c-40"),
        BoardView(selected="g-0"),
        BoardView(opened=frozenset({"at-s-0-g-0"})),
    ):
        board = build_board(large, large, view)
        assert {lane.segment.uid: len(lane.cards) for lane in board.lanes if lane.cards} == {"s-0": 5}, view
        assert [chip.item.name for chip in board.chips] == ["within"], view


def test_a_search_finds_what_collapsed_segments_hold() -> None:
    board = build_board(network_of_segments(), {}, BoardView(find="site-123"))
    assert shown_members(board) == {"app-123": ["site-123"]}
    assert not any(lane.hidden for lane in board.lanes)


def test_a_segment_with_very_many_groups_shows_some_of_them_changed_ones_first() -> None:
    many = 2 * MOST_ROWS
    groups = {f"g-{number:03}": {"name": f"app-{number:03}"} for number in range(many)}
    connectors = {f"c-{number}": connector(f"site-{number}", group=f"g-{number:03}") for number in range(many)}
    base = network(groups=groups, connectors=connectors)
    last = f"g-{many - 1:03}"
    draft = network(groups={**groups, last: {"name": "renamed"}}, connectors=connectors)
    (lane,) = build_board(draft, base).lanes
    assert (len(lane.cards), len(lane.hidden)) == (MOST_ROWS, many - MOST_ROWS)
    assert last in [card.ref for card in lane.cards]
    assert lane.count_text == f"{many} groups"


def test_a_long_circle_of_policies_is_laid_out() -> None:
    many = 2000
    groups = {f"g-{number}": {"name": f"app-{number}"} for number in range(many)}
    connectors = {f"c-{number}": connector(f"site-{number}", group=f"g-{number}") for number in range(many)}
    policies = {
        f"p{number}": policy(f"p{number}", f"g-{number}", f"g-{(number + 1) % many}", number) for number in range(many)
    }
    (lane,) = build_board(network(groups=groups, connectors=connectors, policies=policies), {}).lanes
    assert len(lane.cards) == MOST_ROWS


def test_the_page_of_a_large_network_is_small_and_opening_or_searching_loads_what_it_left_out(
    people: People, sign_in: Callable[[Any], Client], tenant_scope: Callable[..., Any]
) -> None:
    from provisioning.services.drafts import editing, lifecycle

    sites = [
        {
            "name": f"site-{number:04}",
            "kind": "lab-site",
            "exchange": "eu",
            "attachments": [
                {
                    "segment": f"vrf-{number % 20}",
                    "groups": [f"app-{number % 100}"],
                    "prefixes": [f"10.{number // 250}.{number % 250}.0/24"],
                }
            ],
        }
        for number in range(1000)
    ]
    document = {
        "exchanges": [{"name": "eu", "location": "aws-eu-central-1"}],
        "segments": [{"name": f"vrf-{number}", "prefixes": ["10.0.0.0/8"]} for number in range(20)],
        "groups": [{"name": f"app-{number}"} for number in range(100)],
        "connectors": sites,
    }
    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("large")
        editing.import_document(draft, document)
    client = sign_in(people.netadmin)

    def page(query: str) -> str:
        answer = client.get(f"/t/acme/design/{draft.uid}/{query}")
        assert answer.status_code == 200
        return answer.content.decode()

    collapsed = page("")
    assert len(collapsed) < 150_000 and 'title="site-0007"' not in collapsed
    lane = re.search(r'id="(lane-[^"]+)">\s*<h2>\s*<button[^>]+title="vrf-7"', collapsed)
    assert lane
    assert 'title="site-0007"' in page(f"?open={lane[1]}")
    assert 'title="site-0987"' in page("?find=site-0987")
    assert 'title="site-0988"' not in page("?find=site-0987")
