"""The canvas of a network with many connectors: collapsed by group and exchange, searched, filtered, opened."""

from __future__ import annotations

from typing import Any

from portal.pages.canvas_board import MOST_LONE_CARDS, build_board
from portal.pages.canvas_cards import Board
from portal.pages.canvas_view import MOST_MEMBERS, BoardView
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
