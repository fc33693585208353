"""Everything that somebody can reach, or that can reach them, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from provisioning.core.values.addresses import Range, address_number, intersect, prefix_range
from provisioning.core.intent import ANY, INTERNET, InvalidIntent
from provisioning.core.network import Network
from provisioning.core.reach.atlas import Side
from provisioning.core.reach.block import Block, shown
from provisioning.core.reach.labels import Example
from provisioning.core.reach.ledger import Places
from provisioning.core.reach.lists import apart, crossing
from provisioning.core.reach.rectangles import pairs_of, rectangles
from provisioning.core.reach.scenes import Holder, Published, Scene, inside, published, shared
from provisioning.core.reach.verdicts import Label
from provisioning.core.values.resource import Problem


@dataclass(frozen=True, slots=True)
class Reached:
    """Flows that are delivered; fields as in FlowChange. ``rule`` None: the segment's stance allows them."""

    from_: tuple[str, ...]
    to: tuple[str, ...]
    segment: str
    to_segment: str | None
    protocol: str
    ports: tuple[str, ...]
    via: tuple[str, ...]
    rule: str | None
    example: Example


def reach(network: Network, wanted: str, towards: bool = False) -> list[Reached]:
    """What ``wanted`` can reach, or with ``towards`` what can reach it.

    wanted: uid, name or key of a connector, a group or (towards) an internet application; an address or a prefix;
    ``any`` (every member) or ``internet``. Raises Invalid where there is none.
    """
    asked = _asked(network, wanted, towards)
    found: list[Reached] = []
    for scene in scenes(network):
        block = _block(scene, asked, towards)
        if block is not None:
            found += _Reaching(network, block).of(*_chosen(block, asked, towards))
    return sorted(found, key=_order)


def _order(one: Reached) -> tuple[object, ...]:
    return one.segment, one.to_segment or "", one.to, one.from_, one.protocol, one.ports


def scenes(network: Network) -> Iterator[Scene]:
    """All kinds of flows there are, segment by segment."""
    for uid in sorted(network.intent.segments, key=lambda uid: network.intent.segments[uid].number):
        realm = network.realm(uid)
        yield inside(realm)
        if realm.apps:
            yield published(realm)
        for other in dict.fromkeys(one.other for one in realm.passages if one.starts):
            yield shared(realm, network.realm(other))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Somebody by uid, or addresses."""

    uid: str = ""
    ranges: tuple[Range, ...] = ()

    def means(self, holder: Holder) -> bool:
        return bool(intersect(self.ranges, holder.ranges)) if self.ranges else self.uid in holder.names


def _asked(network: Network, wanted: str, towards: bool) -> _Asked:
    if wanted in (ANY, INTERNET):
        return _Asked(wanted)
    kinds = ("groups", "connectors", *(("internet-apps",) if towards else ()))
    item = next((one for kind in kinds if (one := network.find(kind, wanted))), None)
    if item is not None:
        return _Asked(item.uid)
    try:
        return _Asked(ranges=(prefix_range(wanted) if "/" in wanted else (address_number(wanted),) * 2,))
    except ValueError:
        field = "to" if towards else "from"
        message = f"There is no group or connector “{wanted}”, and it is neither an address nor a prefix."
        raise InvalidIntent([Problem("unknown_reference", field, message)]) from None


def _block(scene: Scene, asked: _Asked, towards: bool) -> Block | None:
    """None where the scene is not about what is asked."""
    if asked.ranges and isinstance(scene, Published) and not towards and _inside(scene, asked):
        return None
    held = scene.ends if towards else scene.starts
    return Block([scene], cuts=asked.ranges) if any(asked.means(one) for one in held) else None


def _inside(scene: Scene, asked: _Asked) -> bool:
    """Whether addresses are somebody's here: those do not come from the internet."""
    owned = (one for one in (*scene.realm.members, *scene.realm.guests) if intersect(asked.ranges, one.ranges))
    return any(owned)


def _chosen(block: Block, asked: _Asked, towards: bool) -> tuple[Places, Places]:
    rows, columns = block.covered
    if towards:
        return rows, select(block.ends, columns, asked.means, asked.ranges)
    return select(block.starts, rows, asked.means, asked.ranges), columns


def select(side: Side, atoms: Places, means: Callable[[Holder], bool], ranges: tuple[Range, ...] = ()) -> Places:
    """Those of some atoms whose holders are meant, inside ``ranges`` (at which the side is cut) if there are any."""
    meant = np.array([*(means(one) for one in side.holders[0]), False], bool)
    chosen = atoms[meant[side.holder[0][atoms]]]
    if not ranges:
        return chosen
    inside = [atom for atom in chosen.tolist() if intersect((side.range(atom),), ranges)]
    return np.array(inside, np.intp)


class _Reaching:
    """What is delivered in one block."""

    def __init__(self, network: Network, block: Block) -> None:
        self.block = block
        self.scene, self.judge = block.scenes[0], block.judge(0, rules=True)
        self.names = block.names(0, network.intent.groups)

    def of(self, rows: Places, columns: Places) -> Iterator[Reached]:
        assert self.judge is not None
        lists = self.block.lists(rows, columns)
        full = self.block.ledger.cells.full
        kinds: dict[tuple[Label, int], int] = {}
        of_list = [
            [kinds.setdefault(kind, len(kinds)) for kind in self.judge.verdict(hits[0], full).items()]
            for hits in lists.walk()
        ]
        known = list(kinds)
        for kind, some, ends in rectangles(*pairs_of(lists.ids, of_list), len(lists.columns)):
            yield from self._told(*known[kind], lists.rows.held(some), lists.columns.held(ends))

    def _told(self, label: Label, mask: int, rows: Places, columns: Places) -> Iterator[Reached]:
        block, scene = self.block, self.scene
        rows, columns = crossing(block.starts, block.ends, rows, columns)
        ends = apart(block.starts, block.ends, rows, columns)
        if ends is None or scene is None:
            return
        rule, chain = label
        for told in block.ledger.cells.told(mask):
            yield Reached(
                from_=self.names[0].of(rows),
                to=self.names[1].of(columns),
                segment=scene.segment.name,
                to_segment=scene.to_segment.name if scene.to_segment else None,
                protocol=told.protocol,
                ports=told.ports,
                via=tuple(scene.realm.services[uid].name for uid in chain),
                rule=rule,
                example=shown(block.packet(0, *ends, columns, told.cell)),
            )
