"""What of the canvas is shown: search, segments, and what is opened: cards to all their connectors, segments. Pure.

A page never holds more rows than people can look at: cards show a few connectors, and where the whole board would still
be large, segments show how much they hold until they are opened, chosen or searched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import islice

from portal.pages.canvas_cards import BoardCard, BoardChip, BoardLane, BoardObject

MOST_MEMBERS, MOST_OPEN_MEMBERS = 6, 200
"""Rows of a card, and of one that is opened; beyond them the search finds."""
MOST_ROWS = 250
"""Cards and their rows that the board shows before it collapses segments, and that one segment shows."""
MOST_CHIPS = 250


@dataclass(frozen=True, slots=True)
class BoardView:
    """``find``: part of a name or prefix; ``segments``: uids, empty for all.

    ``opened``: element ids of cards and lanes; ``selected``: the uid of the object in the panel, which is shown too.
    """

    find: str = ""
    segments: frozenset[str] = frozenset()
    opened: frozenset[str] = frozenset()
    selected: str = ""

    @property
    def is_narrowed(self) -> bool:
        return bool(self.find or self.segments)


WHOLE_BOARD = BoardView()


def narrow_lanes(lanes: Iterable[BoardLane], view: BoardView, ends: Collection[str]) -> list[BoardLane]:
    """Return the lanes that a view shows, collapsed where they are large.

    ``ends``: what lines end at, shown first in a card.
    """
    shown = [lane for lane in lanes if not view.segments or lane.segment.uid in view.segments]
    narrowed = [_narrow_lane(lane, view, ends) for lane in shown]
    kept = [lane for lane in narrowed if lane.cards or not view.find or _matches(lane.segment, view.find)]
    if len(kept) > 1 and sum(_row_count(lane.cards) for lane in kept) > MOST_ROWS:
        kept = [
            lane if _is_opened(lane, view) else replace(lane, columns=([], [], []), hidden=lane.cards) for lane in kept
        ]
    return [_limit_lane(lane, view) if _row_count(lane.cards) > MOST_ROWS else lane for lane in kept]


def _row_count(cards: Iterable[BoardCard]) -> int:
    return sum(1 + len(card.members) for card in cards)


def _is_opened(lane: BoardLane, view: BoardView) -> bool:
    """Return whether a lane is opened, or a card of it is, or it has what is selected."""
    return lane.element_id in view.opened or any(_is_wanted(card, view) for card in lane.cards)


def _is_wanted(card: BoardCard, view: BoardView) -> bool:
    if card.element_id in view.opened:
        return True
    return bool(view.selected) and view.selected in (card.ref, *(member.uid for _, member in card.members))


def _limit_lane(lane: BoardLane, view: BoardView) -> BoardLane:
    """Return the lane with MOST_ROWS cards, only those with rows that are wanted; changed ones before the others."""
    cards = [card if _is_wanted(card, view) else _without_rows(card) for card in lane.cards]
    by_interest = sorted(cards, key=lambda card: (not _is_wanted(card, view), not card.changed_count))
    shown = {card.element_id: card for card in by_interest[:MOST_ROWS]}
    first, second, third = (
        [shown[card.element_id] for card in column if card.element_id in shown] for column in lane.columns
    )
    return replace(lane, columns=(first, second, third), hidden=by_interest[MOST_ROWS:])


def _without_rows(card: BoardCard) -> BoardCard:
    return replace(card, members=[], hidden=[*(member for _, member in card.members), *card.hidden])


def _narrow_lane(lane: BoardLane, view: BoardView, ends: Collection[str]) -> BoardLane:
    find = "" if _matches(lane.segment, view.find) else view.find
    first, second, third = (
        [narrowed for card in column if (narrowed := _narrow_card(card, view, find, ends))] for column in lane.columns
    )
    return replace(lane, columns=(first, second, third))


def _narrow_card(card: BoardCard, view: BoardView, find: str, ends: Collection[str]) -> BoardCard | None:
    """Return the card with the members that are found, the first of them shown; None where nothing of it is found."""
    found = {member.uid for _, member in card.members}
    if find and find.casefold() not in card.name.casefold():
        found = {member.uid for _, member in card.members if _matches(member, find)}
        if not found:
            return None
    most = MOST_OPEN_MEMBERS if card.element_id in view.opened else MOST_MEMBERS
    by_interest = sorted(
        (member for _, member in card.members if member.uid in found),
        key=lambda member: (member.uid != view.selected, member.state == "same", member.uid not in ends),
    )
    shown = {member.uid for member in by_interest[:most]}
    return replace(
        card,
        members=[(element_id, member) for element_id, member in card.members if member.uid in shown],
        hidden=[member for _, member in card.members if member.uid not in shown],
    )


def visible_chips(chips: Iterable[BoardChip], view: BoardView, lanes: Iterable[BoardLane]) -> list[BoardChip]:
    """Return the first MOST_CHIPS of the chips; of those that have a line, where not the whole board is shown."""
    is_partial = view.is_narrowed or any(lane.hidden for lane in lanes)
    return list(islice((chip for chip in chips if chip.lines or not is_partial), MOST_CHIPS))


def _matches(item: BoardObject, find: str) -> bool:
    """Return whether the name or a prefix contains the text; an empty one is in all."""
    attachments = item.body.get("attachments", ())
    prefixes = [*item.body.get("prefixes", ()), *(prefix for each in attachments for prefix in each["prefixes"])]
    return any(find.casefold() in text.casefold() for text in (item.name, *map(str, prefixes)))
