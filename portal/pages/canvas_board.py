"""The design canvas as data: segments as lanes, groups as cards, policies as lines between them.

Pure: it takes the bodies of a draft and of its base revision (references are uids) and returns a Board. The template
draws the cards and the list of policies; the browser draws the lines from that list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from portal.pages import kind_styles
from portal.pages.canvas_cards import (
    Board,
    BoardCard,
    BoardChip,
    BoardLane,
    BoardObject,
    BodiesByKind,
    Body,
    CardRole,
    ChangeState,
)
from portal.pages.canvas_view import WHOLE_BOARD, BoardView, narrow_lanes, visible_chips
from portal.pages.objects import KIND_PAGES
from portal.pages.rule_text import leading_action, rules_summary
from portal.pages.state_styles import state_style

GroupsOfConnector = Mapping[str, Sequence[Sequence[str]]]
"""Connector → the groups of each of its attachments."""

AttachedConnector = tuple[BoardObject, Sequence[str]]
"""A connector and the groups of one of its attachments."""

MOST_LONE_CARDS = 8
"""From here on connectors without a group share one card for each exchange."""


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
    # What the draft did not touch is the very body of its base.
    return "same" if body is before or body == before else "changed"


def icon_of(kind: str, body: Body) -> str:
    return kind_styles.kind_style(str(body.get("kind"))).icon if kind == "connectors" else KIND_PAGES[kind].icon


def build_board(
    draft: BodiesByKind, base: BodiesByKind, view: BoardView = WHOLE_BOARD, groups_of: GroupsOfConnector | None = None
) -> Board:
    """Return the board of a draft: what of it ``view`` shows, beside what the draft did to its base.

    ``groups_of``: by labels and through groups in groups too; those that attachments name where it is left out.
    """
    items = compare_networks(draft, base)
    present = {kind: [item for item in rows if item.state != "removed"] for kind, rows in items.items()}
    names = {item.uid: item.name for rows in present.values() for item in rows}
    policies = sorted(present.get("policies", []), key=lambda item: item.body.get("position") or 0)
    groups = {group.uid: group for group in present.get("groups", [])}
    attached = _attached_connectors(present.get("connectors", []), groups_of or {})
    policies_of = _policies_by_segment(policies)
    all_lanes = [
        _build_lane(segment, groups, attached[segment.uid], policies_of[segment.uid], names)
        for segment in present.get("segments", [])
    ]
    placed = {card.ref for lane in all_lanes for card in lane.cards}
    targets = {app.uid: str(app.body["target"]["connector"]) for app in present.get("internet-apps", [])}
    ends = {ref for policy in policies for side in ("from", "to") for ref in policy.body.get(side, ())}
    lanes = narrow_lanes(all_lanes, view, ends | set(targets.values()))
    element_ids = {lane.segment.uid: _element_ids(lane, targets) for lane in lanes}
    return Board(
        items=items,
        lanes=lanes,
        all_lanes=all_lanes,
        chips=visible_chips((_build_chip(policy, element_ids, names) for policy in policies), view, lanes),
        unplaced=[group for uid, group in groups.items() if uid not in placed],
        removed=[item for rows in items.values() for item in rows if item.state == "removed"],
        edits=sum(item.state != "same" for rows in items.values() for item in rows),
    )


def _attached_connectors(
    connectors: Iterable[BoardObject], groups_of: GroupsOfConnector
) -> dict[str, list[AttachedConnector]]:
    """Return segment → its attachments."""
    attached: dict[str, list[AttachedConnector]] = defaultdict(list)
    for connector in connectors:
        attachments = connector.body.get("attachments", ())
        groups = groups_of.get(connector.uid) or [attachment["groups"] for attachment in attachments]
        for attachment, uids in zip(attachments, groups, strict=True):
            attached[attachment["segment"]].append((connector, uids))
    return attached


def _policies_by_segment(policies: Iterable[BoardObject]) -> dict[str, list[BoardObject]]:
    by_segment: dict[str, list[BoardObject]] = defaultdict(list)
    for policy in policies:
        for segment in policy.body.get("segments", ()):
            by_segment[segment].append(policy)
    return by_segment


def _element_ids(lane: BoardLane, targets: Mapping[str, str]) -> dict[str, str]:
    """Return where lines end in a lane. ``targets``: internet application → its connector, where lines to it end."""
    element_ids = lane.element_ids()
    return element_ids | {app: element_ids[uid] for app, uid in targets.items() if uid in element_ids}


def _build_lane(
    segment: BoardObject,
    groups: Mapping[str, BoardObject],
    attached: Sequence[AttachedConnector],
    policies: list[BoardObject],
    names: Mapping[str, str],
) -> BoardLane:
    """Return the lane of a segment. ``attached``, ``policies``: those of this segment."""
    cards: dict[str, BoardCard] = {}

    def card(ref: str, role: CardRole, name: str, item: BoardObject | None, icon: str) -> BoardCard:
        element_id = f"at-{segment.uid}-{ref.replace('/', '-')}"
        return cards.setdefault(ref, BoardCard(element_id, ref, role, name, icon, segment.uid, item))

    lone = {connector.uid for connector, uids in attached if not uids and not _is_exit(connector)}
    for connector, uids in attached:
        homes = [card(uid, "group", groups[uid].name, groups[uid], "stack-2") for uid in uids if uid in groups]
        if _is_exit(connector):
            homes = [card("internet", "internet", "internet", None, "world")]
        elif not homes and len(lone) > MOST_LONE_CARDS:
            exchange = str(connector.body.get("exchange"))
            homes = [card(f"exchange/{exchange}", "exchange", names.get(exchange, ""), None, "topology-star-3")]
        elif not homes:
            homes = [card(connector.uid, "connector", connector.name, connector, connector.icon)]
        for home in homes:
            # One that is attached twice follows itself.
            if not home.members or home.members[-1][1].uid != connector.uid:
                home.members.append((_member_element_id(home, connector, is_first=home is homes[0]), connector))
    if any("any" in (*policy.body.get("from", ()), *policy.body.get("to", ())) for policy in policies):
        card("any", "any", "any connector", None, "circles")
    return BoardLane(segment, _columns(cards, policies))


def _is_exit(connector: BoardObject) -> bool:
    return connector.body.get("kind") == "internet-exit"


def _member_element_id(home: BoardCard, connector: BoardObject, *, is_first: bool) -> str:
    """Return the id of a connector's row in a card; lines to the connector end at its row in the first of its cards."""
    if home.ref == connector.uid:
        return f"{home.element_id}-in"
    return f"at-{home.segment}-{connector.uid}" if is_first else f"{home.element_id}-{connector.uid}"


def _columns(
    cards: dict[str, BoardCard], policies: list[BoardObject]
) -> tuple[list[BoardCard], list[BoardCard], list[BoardCard]]:
    """Return the cards in three columns: sources left, what they reach further right, the internet rightmost."""
    group_of = {
        member.uid: card.ref
        for card in cards.values()
        for _, member in card.members
        if card.role in ("group", "exchange")
    }
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
        seen, waiting = {start}, [start]
        while waiting:
            further = after[waiting.pop()] - seen
            seen |= further
            waiting += further
        return end in seen

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
    policy: BoardObject, element_ids: Mapping[str, Mapping[str, str]], names: Mapping[str, str]
) -> BoardChip:
    """Return a policy's chip. ``element_ids``: segment that is shown → where lines end in it."""
    body = policy.body
    rules = list(body.get("rules", ()))
    action = leading_action(rules)
    lines = [
        (ends[start], ends[end])
        for segment in body.get("segments", ())
        for ends in (element_ids.get(segment, {}),)
        for start in body.get("from", ())
        for end in body.get("to", ())
        if start in ends and end in ends
    ]
    words = rules_summary(rules, names)
    join_names = " and ".join
    start = join_names(names.get(ref, ref) for ref in body.get("from", ()))
    end = join_names(names.get(ref, ref) for ref in body.get("to", ()))
    off = "" if body.get("enabled", True) else ", switched off"
    sentence = f"{policy.name}: {start} to {end}, {action} {words}{off}"
    return BoardChip(policy, state_style(action), words, sentence, tuple(dict.fromkeys(lines)))
