"""The design canvas as data: segments as lanes, groups as cards, policies as lines between them.

Pure: it takes the bodies of a draft and of its base revision (references are uids) and returns a Board. The template
draws the cards and the list of policies; the browser draws the lines from that list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from portal.pages import kind_styles
from portal.pages.objects import KIND_PAGES
from portal.pages.rule_text import leading_action, rules_summary
from portal.pages.state_styles import StateStyle, state_style

Body = Mapping[str, Any]
BodiesByKind = Mapping[str, Mapping[str, Body]]  # kind -> uid -> body, in the order of their numbers
CardRole = Literal["group", "connector", "any", "internet"]
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
    """Something a policy can start from or end at: a group, a connector without one, a whole segment, the internet."""

    element_id: str
    ref: str  # what a policy's `from` or `to` holds: a uid, "any" or "internet"
    role: CardRole
    name: str
    icon: str
    segment: str
    item: BoardObject | None = None
    members: list[tuple[str, BoardObject]] = field(default_factory=list)  # (element id, connector)

    @property
    def state(self) -> ChangeState:
        return self.item.state if self.item else "same"

    @property
    def label(self) -> str:
        """What a screen reader says of the card."""
        role = {"group": "Group ", "connector": "Connector "}.get(self.role, "")
        return f"{role}{self.name}{', only in this draft' if self.state == 'new' else ''}"


@dataclass(slots=True)
class BoardLane:
    """A segment: its cards in three columns, flows running left to right."""

    segment: BoardObject
    columns: tuple[list[BoardCard], list[BoardCard], list[BoardCard]]

    @property
    def label(self) -> str:
        """What a screen reader says of the lane."""
        return f"Segment {self.segment.name}{', only in this draft' if self.segment.state == 'new' else ''}"

    @property
    def cards(self) -> list[BoardCard]:
        return [card for column in self.columns for card in column]

    @property
    def count_text(self) -> str:
        """What is attached: ``3 groups, 1 connector``; a connector in a group counts with its group."""
        counts = ((role, sum(card.role == role for card in self.cards)) for role in ("group", "connector"))
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
    lanes: list[BoardLane]
    chips: list[BoardChip]
    unplaced: list[BoardObject]  # groups without a connector: they are in no segment yet
    removed: list[BoardObject]
    edits: int  # objects that differ from the base revision

    def cards_of(self, ref: str) -> list[BoardCard]:
        """Return the cards of what a policy names so, one in each of its segments."""
        return [card for lane in self.lanes for card in lane.cards if card.ref == ref]


def compare_networks(draft: BodiesByKind, base: BodiesByKind) -> dict[str, list[BoardObject]]:
    """Return every object of either network with what the draft did to it; removed ones come last in their kind."""
    items: dict[str, list[BoardObject]] = {}
    for kind in {**draft, **base}:
        in_draft, in_base = draft.get(kind, {}), base.get(kind, {})
        rows = [
            BoardObject(kind, uid, body, _change_state(body, in_base.get(uid)), icon_of(kind, body))
            for uid, body in in_draft.items()
        ]
        removed = [
            BoardObject(kind, uid, body, "removed", icon_of(kind, body))
            for uid, body in in_base.items()
            if uid not in in_draft
        ]
        items[kind] = rows + removed
    return items


def _change_state(body: Body, before: Body | None) -> ChangeState:
    if before is None:
        return "new"
    return "same" if body == before else "changed"


def icon_of(kind: str, body: Body) -> str:
    return kind_styles.kind_style(str(body.get("kind"))).icon if kind == "connectors" else KIND_PAGES[kind].icon


def build_board(draft: BodiesByKind, base: BodiesByKind) -> Board:
    items = compare_networks(draft, base)
    present = {kind: [item for item in rows if item.state != "removed"] for kind, rows in items.items()}
    names = {item.uid: item.name for rows in present.values() for item in rows}
    policies = sorted(present.get("policies", []), key=lambda item: item.body.get("position") or 0)
    lanes = [
        _build_lane(segment, present.get("groups", []), present.get("connectors", []), policies)
        for segment in present.get("segments", [])
    ]
    placed = {card.ref for lane in lanes for card in lane.cards}
    targets = {app.uid: str(app.body["target"]["connector"]) for app in present.get("internet-apps", [])}
    return Board(
        lanes=lanes,
        chips=[_build_chip(policy, lanes, names, targets) for policy in policies],
        unplaced=[group for group in present.get("groups", []) if group.uid not in placed],
        removed=[item for rows in items.values() for item in rows if item.state == "removed"],
        edits=sum(item.state != "same" for rows in items.values() for item in rows),
    )


def _build_lane(
    segment: BoardObject, groups: list[BoardObject], connectors: list[BoardObject], policies: list[BoardObject]
) -> BoardLane:
    cards: dict[str, BoardCard] = {}

    def card(ref: str, role: CardRole, name: str, item: BoardObject | None, icon: str) -> BoardCard:
        return cards.setdefault(ref, BoardCard(f"at-{segment.uid}-{ref}", ref, role, name, icon, segment.uid, item))

    by_uid = {group.uid: group for group in groups}
    for connector in connectors:
        for attachment in connector.body.get("attachments", ()):
            if attachment.get("segment") != segment.uid:
                continue
            group = by_uid.get(str(attachment.get("group")))
            if connector.body.get("kind") == "internet-exit":
                home = card("internet", "internet", "internet", None, "world")
            elif group:
                home = card(group.uid, "group", group.name, group, "stack-2")
            else:
                home = card(connector.uid, "connector", connector.name, connector, connector.icon)
            element_id = f"at-{segment.uid}-{connector.uid}" + ("-in" if home.ref == connector.uid else "")
            if all(member.uid != connector.uid for _, member in home.members):
                home.members.append((element_id, connector))
    segment_policies = [policy for policy in policies if segment.uid in policy.body.get("segments", ())]
    if any("any" in (*policy.body.get("from", ()), *policy.body.get("to", ())) for policy in segment_policies):
        card("any", "any", "any connector", None, "circles")
    return BoardLane(segment, _columns(cards, segment_policies))


def _columns(
    cards: dict[str, BoardCard], policies: list[BoardObject]
) -> tuple[list[BoardCard], list[BoardCard], list[BoardCard]]:
    """Return the cards in three columns: sources left, what they reach further right, the internet rightmost."""
    group_of = {member.uid: card.ref for card in cards.values() for _, member in card.members if card.role == "group"}
    edges = [
        (group_of.get(start, start), group_of.get(end, end))
        for policy in policies
        for start in policy.body.get("from", ())
        for end in policy.body.get("to", ())
    ]
    edges = [(start, end) for start, end in edges if start in cards and end in cards and start != end]
    rank = _ranks(edges)
    columns: tuple[list[BoardCard], list[BoardCard], list[BoardCard]] = ([], [], [])
    linked = {ref for edge in edges for ref in edge}
    for ref in sorted(linked, key=lambda ref: cards[ref].name):
        columns[2 if ref == "internet" else rank[ref]].append(cards[ref])
    for ref, unlinked_card in cards.items():
        if ref not in linked:
            target = columns[2] if ref == "internet" else min(columns, key=lambda column: len(column))
            target.append(unlinked_card)
    return columns


def _ranks(edges: list[tuple[str, str]]) -> dict[str, int]:
    """Return the column of each card: 0, 1 or 2. An edge that would close a circle is ignored; earlier policies win."""
    after: dict[str, set[str]] = {ref: set() for edge in edges for ref in edge}

    def leads_to(start: str, end: str) -> bool:
        return start == end or any(leads_to(further, end) for further in after[start])

    for start, end in edges:
        if not leads_to(end, start):
            after[start].add(end)
    rank = dict.fromkeys(after, 0)
    for _ in range(2):
        for start, ends in after.items():
            for end in ends:
                rank[end] = max(rank[end], min(2, rank[start] + 1))
    return rank


def _build_chip(
    policy: BoardObject, lanes: Iterable[BoardLane], names: Mapping[str, str], targets: Mapping[str, str]
) -> BoardChip:
    """Return a policy's chip. ``targets``: internet application → its connector, where lines to it end."""
    body = policy.body
    rules = list(body.get("rules", ()))
    action = leading_action(rules)
    lines: list[tuple[str, str]] = []
    for lane in lanes:
        if lane.segment.uid not in body.get("segments", ()):
            continue
        element_ids = {card.ref: card.element_id for card in lane.cards}
        element_ids |= {
            member.uid: element_id for card in lane.cards if card.role == "group" for element_id, member in card.members
        }
        element_ids |= {app: element_ids[connector] for app, connector in targets.items() if connector in element_ids}
        for start in body.get("from", ()):
            lines += [
                (element_ids[start], element_ids[end])
                for end in body.get("to", ())
                if start in element_ids and end in element_ids
            ]
    words = rules_summary(rules, names)
    join_names = " and ".join
    start = join_names(names.get(ref, ref) for ref in body.get("from", ()))
    end = join_names(names.get(ref, ref) for ref in body.get("to", ()))
    off = "" if body.get("enabled", True) else ", switched off"
    sentence = f"{policy.name}: {start} to {end}, {action} {words}{off}"
    return BoardChip(policy, state_style(action), words, sentence, tuple(dict.fromkeys(lines)))
