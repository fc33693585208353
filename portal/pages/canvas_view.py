"""What of the canvas is shown: search, segments, and cards that are opened to all their connectors. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from portal.pages.canvas_cards import BoardCard, BoardChip, BoardLane, BoardObject

MOST_MEMBERS, MOST_OPEN_MEMBERS = 6, 200
"""Rows of a card, and of one that is opened; beyond them the search finds."""


@dataclass(frozen=True, slots=True)
class BoardView:
    """``find``: part of a name or prefix; ``segments``: uids, empty for all; ``opened``: element ids of cards."""

    find: str = ""
    segments: frozenset[str] = frozenset()
    opened: frozenset[str] = frozenset()

    @property
    def is_narrowed(self) -> bool:
        return bool(self.find or self.segments)


WHOLE_BOARD = BoardView()


def narrow_lanes(lanes: Iterable[BoardLane], view: BoardView, ends: Collection[str]) -> list[BoardLane]:
    """Return the lanes that a view shows, their cards collapsed. ``ends``: what lines end at, shown first in a card."""
    shown = [lane for lane in lanes if not view.segments or lane.segment.uid in view.segments]
    narrowed = [_narrow_lane(lane, view, ends) for lane in shown]
    return [lane for lane in narrowed if lane.cards or not view.find or _matches(lane.segment, view.find)]


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
        key=lambda member: (member.state == "same", member.uid not in ends),
    )
    shown = {member.uid for member in by_interest[:most]}
    return replace(
        card,
        members=[(element_id, member) for element_id, member in card.members if member.uid in shown],
        hidden=[member for _, member in card.members if member.uid not in shown],
    )


def visible_chips(chips: Iterable[BoardChip], view: BoardView) -> list[BoardChip]:
    """Return the chips that have a line in what is shown; all where the whole board is."""
    return [chip for chip in chips if chip.lines or not view.is_narrowed]


def _matches(item: BoardObject, find: str) -> bool:
    """Return whether the name or a prefix contains the text; an empty one is in all."""
    attachments = item.body.get("attachments", ())
    prefixes = [*item.body.get("prefixes", ()), *(prefix for each in attachments for prefix in each["prefixes"])]
    return any(find.casefold() in text.casefold() for text in (item.name, *map(str, prefixes)))
