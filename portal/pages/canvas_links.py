"""What the canvas shows beside policies: shares as lines between segments, NAT and internet applications at connectors.

Pure, like the board it adds to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from portal.pages.canvas_cards import Board, BoardBadge, BoardChip, BoardLane, BoardObject
from portal.pages.state_styles import state_style
from provisioning.core.intent import INTERNET

DIRECTION_WORDS = {"both": "both ways", "a-to-b": "one way", "b-to-a": "one way"}


def share_chips(items: Iterable[BoardObject], lanes: Iterable[BoardLane], names: Mapping[str, str]) -> list[BoardChip]:
    """Return a chip for each share; its lines run from the side that may open flows to the other one."""
    placed = {lane.segment.uid: lane for lane in lanes}
    return [_share_chip(item, placed, names) for item in items]


def _share_chip(item: BoardObject, lanes: Mapping[str, BoardLane], names: Mapping[str, str]) -> BoardChip:
    body = item.body
    a, b = (_side_element_ids(body[side], lanes) for side in ("a", "b"))
    if body["direction"] == "b-to-a":
        a, b = b, a
    via = ", then ".join(names.get(uid, uid) for uid in body["services"])
    sides = [names.get(body[side]["segment"], "") for side in ("a", "b")]
    arrow = {"both": "and", "a-to-b": "to", "b-to-a": "from"}[body["direction"]]
    sentence = f"Share {item.name}: {sides[0]} {arrow} {sides[1]}{f', through {via}' if via else ''}"
    words = via or DIRECTION_WORDS[body["direction"]]
    if ways_out := [name for side, name in zip(("a", "b"), sides, strict=True) if body[side]["internet"]]:
        sentence, words = f"{sentence}, with the internet of {ways_out[0]}", f"internet{f', {via}' if via else ''}"
    lines = tuple((start, end) for start in a for end in b)
    return BoardChip(item, state_style("inspect" if via else "allow"), words, sentence, lines)


def _side_element_ids(side: Mapping[str, Any], lanes: Mapping[str, BoardLane]) -> list[str]:
    """Return the cards of a side's groups and of its internet exits, or the segment's lane where it has neither."""
    lane = lanes.get(side["segment"])
    if lane is None:
        return []
    element_ids = lane.element_ids()
    shared = [*side["groups"], *([INTERNET] if side["internet"] else [])]
    return [element_ids[ref] for ref in shared if ref in element_ids] or [lane.element_id]


def add_badges(board: Board, items: Mapping[str, list[BoardObject]]) -> None:
    """Give each connector on the board the badges of what translates or publishes its addresses."""
    badges = _badges_by_connector(items)
    for card in (card for lane in board.lanes for card in lane.cards):
        card.members = [
            (element_id, replace(member, badges=tuple(badges.get(member.uid, ()))))
            for element_id, member in card.members
        ]


def _badges_by_connector(items: Mapping[str, list[BoardObject]]) -> dict[str, list[BoardBadge]]:
    """Return connector → one badge for each kind of object at it; a badge opens the first object and names all."""
    by_connector: dict[str, dict[str, list[BoardObject]]] = defaultdict(lambda: defaultdict(list))
    for rule in items.get("nat-rules", ()):
        by_connector[rule.body["connector"]][rule.kind].append(rule)
    for app in items.get("internet-apps", ()):
        for uid in dict.fromkeys((app.body["connector"], app.body["target"]["connector"])):
            by_connector[uid][app.kind].append(app)
    return {uid: [_badge(items_of_kind) for items_of_kind in kinds.values()] for uid, kinds in by_connector.items()}


def _badge(items: list[BoardObject]) -> BoardBadge:
    first = next((item for item in items if item.state != "same"), items[0])
    word = first.word if len(items) == 1 else f"{len(items)} {first.word}s"
    return BoardBadge(first, f"{word}: {', '.join(item.name for item in items)}")
