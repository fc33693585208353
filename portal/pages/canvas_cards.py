"""What the design canvas consists of: objects, segments as lanes, groups as cards, policies and shares as chips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from portal.pages.objects import KIND_PAGES
from portal.pages.state_styles import StateStyle

Body = Mapping[str, Any]
BodiesByKind = Mapping[str, Mapping[str, Body]]  # kind -> uid -> body, in the order of the cards
CardRole = Literal["group", "connector", "exchange", "any", "internet"]
ChangeState = Literal["same", "new", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class BoardObject:
    """An object of the network and what this draft did to it."""

    kind: str
    uid: str
    body: Body
    state: ChangeState = "same"
    icon: str = "stack-2"
    badges: tuple[BoardBadge, ...] = ()

    @property
    def name(self) -> str:
        return str(self.body.get("name", ""))

    @property
    def key(self) -> str:
        """The object in the page's address and in the side panel: ``policies/{uid}``."""
        return f"{self.kind}/{self.uid}"

    @property
    def word(self) -> str:
        return KIND_PAGES[self.kind].word if self.kind in KIND_PAGES else self.kind


@dataclass(frozen=True, slots=True)
class BoardBadge:
    """Something that is set at a connector's edge."""

    item: BoardObject
    word: str


@dataclass(slots=True)
class BoardCard:
    """Something a policy can start from or end at: a group, a connector without one, a whole segment, the internet.

    The card of an exchange is none itself: it gathers connectors without a group where a segment has many.
    """

    element_id: str
    ref: str  # what a policy's `from` or `to` holds: a uid, "any" or "internet"
    role: CardRole
    name: str
    icon: str
    segment: str
    item: BoardObject | None = None
    members: list[tuple[str, BoardObject]] = field(default_factory=list)  # (element id, connector)
    hidden: list[BoardObject] = field(default_factory=list)  # members that a collapsed card does not show

    @property
    def state(self) -> ChangeState:
        return self.item.state if self.item else "same"

    @property
    def member_count(self) -> int:
        return len(self.members) + len(self.hidden)

    @property
    def changed_count(self) -> int:
        """How many objects of the card the draft added or changed."""
        changed = {item.uid for item in (self.item, *self.hidden) if item and item.state != "same"}
        return len(changed | {member.uid for _, member in self.members if member.state != "same"})

    @property
    def label(self) -> str:
        """What a screen reader says of the card."""
        role = {"group": "Group ", "connector": "Connector ", "exchange": "Connectors at "}.get(self.role, "")
        return f"{role}{self.name}{', only in this draft' if self.state == 'new' else ''}"


@dataclass(slots=True)
class BoardLane:
    """A segment: its cards in three columns, flows running left to right; a collapsed one shows none of them."""

    segment: BoardObject
    columns: tuple[list[BoardCard], list[BoardCard], list[BoardCard]]
    hidden: list[BoardCard] = field(default_factory=list)

    @property
    def element_id(self) -> str:
        return f"lane-{self.segment.uid}"

    @property
    def label(self) -> str:
        """What a screen reader says of the lane."""
        return f"Segment {self.segment.name}{', only in this draft' if self.segment.state == 'new' else ''}"

    @property
    def cards(self) -> list[BoardCard]:
        return [card for column in self.columns for card in column]

    def element_ids(self) -> dict[str, str]:
        """Return the element where a line ends: a card, a connector's row in it, or the card that does not show it."""
        element_ids = {card.ref: card.element_id for card in self.cards}
        for card in self.cards:
            if card.role in ("group", "exchange"):
                element_ids |= {member.uid: card.element_id for member in card.hidden}
                element_ids |= {
                    member.uid: element_id
                    for element_id, member in card.members
                    if not element_id.startswith(card.element_id)
                }
        return element_ids

    @property
    def hidden_changed_count(self) -> int:
        """How many objects that are not shown the draft added or changed."""
        return sum(card.changed_count for card in self.hidden)

    @property
    def hidden_connector_count(self) -> int:
        return sum(card.member_count for card in self.hidden)

    @property
    def count_text(self) -> str:
        """What is attached: ``3 groups, 1 connector``; a connector in a group counts with its group."""
        cards = [*self.cards, *self.hidden]
        counts = (
            ("group", sum(card.role == "group" for card in cards)),
            ("connector", sum(card.member_count for card in cards if card.role in ("connector", "exchange"))),
        )
        return ", ".join(f"{count} {role}{'' if count == 1 else 's'}" for role, count in counts if count)


@dataclass(frozen=True, slots=True)
class BoardChip:
    """A policy or a share: the text of its chip and the pairs of elements that its lines join."""

    item: BoardObject
    style: StateStyle
    words: str
    sentence: str
    lines: tuple[tuple[str, str], ...]

    @property
    def label(self) -> str:
        """What a screen reader says of the chip."""
        return self.sentence if self.item.state == "same" else f"{self.sentence}, {self.item.state} in this draft"

    @property
    def line_pairs(self) -> str:
        return " ".join(f"{start}>{end}" for start, end in self.lines)


@dataclass(slots=True)
class Board:
    """``lanes``: what is shown of ``all_lanes``; ``items``: every object of the draft and, last, what it removed."""

    items: dict[str, list[BoardObject]]
    lanes: list[BoardLane]
    all_lanes: list[BoardLane]
    chips: list[BoardChip]
    unplaced: list[BoardObject]  # groups without a connector: they are in no segment yet
    removed: list[BoardObject]
    edits: int  # objects that differ from the base revision

    @property
    def present(self) -> dict[str, list[BoardObject]]:
        """The objects of the draft by kind."""
        return {kind: [item for item in rows if item.state != "removed"] for kind, rows in self.items.items()}

    def cards_of(self, ref: str) -> list[BoardCard]:
        """Return the cards of what a policy names so, one in each of its segments."""
        return [card for lane in self.all_lanes for card in lane.cards if card.ref == ref]
