"""What the canvas shows beside policies: shares as lines between segments, NAT and internet applications at connectors.

Pure, like the board it adds to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from portal.pages.board import Badge, Board, Chip, Item, Lane
from portal.pages.states import face

WORDS = {"both": "both ways", "a-to-b": "one way", "b-to-a": "one way"}


def shares(items: Iterable[Item], lanes: Iterable[Lane], names: Mapping[str, str]) -> list[Chip]:
    """A chip for each share; its lines run from the side that may begin to the other one."""
    placed = {lane.segment.uid: lane for lane in lanes}
    return [_share(item, placed, names) for item in items]


def _share(item: Item, lanes: Mapping[str, Lane], names: Mapping[str, str]) -> Chip:
    body = item.body
    a, b = (_places(body[side], lanes) for side in ("a", "b"))
    if body["direction"] == "b-to-a":
        a, b = b, a
    via = ", then ".join(names.get(uid, uid) for uid in body["services"])
    sides = [names.get(body[side]["segment"], "") for side in ("a", "b")]
    arrow = {"both": "and", "a-to-b": "to", "b-to-a": "from"}[body["direction"]]
    sentence = f"Share {item.name}: {sides[0]} {arrow} {sides[1]}{f', through {via}' if via else ''}"
    lines = tuple((start, end) for start in a for end in b)
    return Chip(item, face("inspect" if via else "allow"), via or WORDS[body["direction"]], sentence, lines)


def _places(side: Mapping[str, object], lanes: Mapping[str, Lane]) -> list[str]:
    """The cards of its groups; the name of the segment where only prefixes are shared."""
    lane = lanes.get(str(side["segment"]))
    if lane is None:
        return []
    groups = side["groups"]
    held = {card.ref: card.dom for card in lane.cards}
    found = [held[uid] for uid in groups if uid in held] if isinstance(groups, list) else []
    return found or [f"lane-{lane.segment.uid}"]


def mark(board: Board, items: Mapping[str, list[Item]]) -> None:
    """Give each connector on the board the badges of what translates or publishes its addresses."""
    badges = _badges(items)
    for card in (card for lane in board.lanes for card in lane.cards):
        card.members = [
            (dom, replace(member, badges=tuple(badges.get(member.uid, ())))) for dom, member in card.members
        ]


def _badges(items: Mapping[str, list[Item]]) -> dict[str, list[Badge]]:
    """One for each kind: it opens the first of them and names all."""
    held: dict[str, dict[str, list[Item]]] = defaultdict(lambda: defaultdict(list))
    for rule in items.get("nat-rules", ()):
        held[rule.body["connector"]][rule.kind].append(rule)
    for app in items.get("internet-apps", ()):
        for uid in dict.fromkeys((app.body["connector"], app.body["target"]["connector"])):
            held[uid][app.kind].append(app)
    return {uid: [_badge(found) for found in kinds.values()] for uid, kinds in held.items()}


def _badge(items: list[Item]) -> Badge:
    first = next((item for item in items if item.state != "same"), items[0])
    word = first.word if len(items) == 1 else f"{len(items)} {first.word}s"
    return Badge(first, f"{word}: {', '.join(item.name for item in items)}")
