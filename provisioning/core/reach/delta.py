"""What a change would make reachable, unreachable, or send another way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from provisioning.core.intent import Group
from provisioning.core.network import Network
from provisioning.core.reach.block import Block, shown
from provisioning.core.reach.labels import Example, Names
from provisioning.core.reach.ledger import Places
from provisioning.core.reach.lines import Policies
from provisioning.core.reach.lists import Lists, apart, crossing
from provisioning.core.reach.rectangles import pairs_of, rectangles
from provisioning.core.reach.scenes import Scene, inside, published, shared
from provisioning.core.reach.verdicts import Kind, differences
from provisioning.core.realm import Realm


@dataclass(frozen=True, slots=True)
class FlowChange:
    """Flows whose fate changes.

    from_, to: names of groups, connectors, internet applications, ``any``, ``internet``. segment: name; to_segment: of
    the destination, where a share leads to another one. protocol: ``any``, a name, a number or ``other``; ports empty:
    all. via: names of the services passed after the change. rule_before, rule_after: ids of the rules that decide the
    example, None where none does (or nothing is there). fate_before, fate_after: its dispositions, None where there is
    no such flow: no such address, or no share between the two.
    """

    from_: tuple[str, ...]
    to: tuple[str, ...]
    segment: str
    to_segment: str | None
    protocol: str
    ports: tuple[str, ...]
    via: tuple[str, ...]
    example: Example
    rule_before: str | None
    rule_after: str | None
    fate_before: str | None = None
    fate_after: str | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """``inspected``: delivered before and after, through other services; ``via`` empty means through none any more."""

    allowed: tuple[FlowChange, ...] = ()
    blocked: tuple[FlowChange, ...] = ()
    inspected: tuple[FlowChange, ...] = ()


Told = list[tuple[str, FlowChange]]


def delta(before: Network, after: Network) -> Delta:
    """The difference of two networks for every packet there can be, told in pairs of groups and connectors.

    A segment costs nothing where both networks have the same realm, and little where an earlier version of ``after``
    was asked the same.
    """
    found: dict[str, list[FlowChange]] = {"allowed": [], "blocked": [], "inspected": []}
    groups = before.intent.groups, after.intent.groups
    names = tuple(tuple(one.values()) for one in groups)
    segments = sorted({**before.intent.segments, **after.intent.segments}.values(), key=lambda one: one.number)
    pairs = {segment.uid: _Pair(before, after, segment.uid) for segment in segments}
    for segment in segments:
        ours = pairs[segment.uid]
        others = {one.other: None for realm in ours.realms if realm for one in realm.passages if one.starts}
        for uid in (segment.uid, *others):
            theirs, key = pairs[uid], ("delta", segment.uid, uid)
            if ours.changed or theirs.changed:
                read = (*ours.realms, *theirs.realms, *names)
                for word, change in after.keep(key, read, partial(_changes, ours, theirs, groups)):
                    found[word].append(change)
            else:
                # Nobody will ask for this again, and it would keep realms of old versions alive.
                after.kept.pop(key, None)
    return Delta(**{word: tuple(sorted(changes, key=_order)) for word, changes in found.items()})


class _Pair:
    """One segment in both networks; None where it does not exist."""

    def __init__(self, before: Network, after: Network, uid: str) -> None:
        self.realms = [network.realm(uid) if uid in network.intent.segments else None for network in (before, after)]
        self.changed = self.realms[0] is not self.realms[1]

    @cached_property
    def policies(self) -> Policies:
        return Policies(self.realms)


def _order(change: FlowChange) -> tuple[object, ...]:
    return (
        change.segment, change.to_segment or "", change.from_, change.to, change.protocol, change.ports, change.via,
    )  # fmt: skip


Groups = Sequence[dict[str, Group]]


def _changes(ours: _Pair, theirs: _Pair, groups: Groups) -> Told:
    """Of flows from one segment to another, or inside one."""
    found: Told = []
    for scenes in _scenes(ours, theirs):
        block = Block(scenes, (ours.policies, theirs.policies), changes=True)
        telling = _Telling(block, groups)
        for rows, columns, alike in _regions(block):
            found += telling.tell(block.lists(rows, columns, alike))
    return found


def _scenes(ours: _Pair, theirs: _Pair) -> Iterator[list[Scene | None]]:
    if ours is not theirs:
        yield [_shared(one, other) for one, other in zip(ours.realms, theirs.realms, strict=True)]
        return
    yield [inside(realm) if realm else None for realm in ours.realms]
    if any(realm and realm.apps for realm in ours.realms):
        yield [published(realm) if realm else None for realm in ours.realms]


def _shared(realm: Realm | None, there: Realm | None) -> Scene | None:
    """None where no share lets flows begin."""
    scene = shared(realm, there) if realm and there else None
    return scene if scene and scene.passages else None


def _regions(block: Block) -> Iterator[tuple[Places, Places, bool]]:
    """The starts and ends between which something can be different, and whether both versions name them alike."""
    rows, columns = block.covered
    new, other = block.starts.changed[rows], block.ends.changed[columns]
    old_rows, old_columns = rows[~new], columns[~other]
    lines = block.ledger.changed()
    if len(lines) and len(old_rows) and len(old_columns):
        held, reached = block.starts.either(lines, old_rows), block.ends.either(lines, old_columns)
        real = held.any(axis=1) & reached.any(axis=1)
        if real.any():
            yield old_rows[held[real].any(axis=0)], old_columns[reached[real].any(axis=0)], True
    if new.any() and len(columns):
        yield rows[new], columns, False
    if other.any() and len(old_rows):
        yield old_rows, columns[other], False


class _Telling:
    """The changes of one block in words."""

    def __init__(self, block: Block, groups: Groups) -> None:
        self.block, self._groups = block, groups
        self.judges = [block.judge(k) for k in range(2)]

    @cached_property
    def names(self) -> list[tuple[Names, Names]]:
        return [self.block.names(k, self._groups[k]) for k in range(2)]

    def tell(self, lists: Lists) -> Told:
        kinds: dict[Kind, int] = {}
        of_list = [[kinds.setdefault(kind, len(kinds)) for kind in self._compare(lists, hits)] for hits in lists.walk()]
        if not kinds:
            return []
        known = list(kinds)
        found: Told = []
        for kind, rows, columns in rectangles(*pairs_of(lists.ids, of_list), len(lists.columns)):
            found += self._told(known[kind], lists.rows.held(rows), lists.columns.held(columns))
        return found

    def _compare(self, lists: Lists, hits: list[list[int]]) -> tuple[Kind, ...]:
        ledger = self.block.ledger
        asked = ledger.cells.full
        if lists.alike:
            # Only cells of lines that came or went can have another fate.
            asked = 0
            for line in set(hits[0]).symmetric_difference(hits[1]):
                asked |= ledger.masks[line]
        before, after = (
            judge.verdict(held, asked) if judge else {} for judge, held in zip(self.judges, hits, strict=True)
        )
        return differences(before, after)

    def _told(self, kind: Kind, rows: Places, columns: Places) -> Iterable[tuple[str, FlowChange]]:
        block, (word, chain, mask) = self.block, kind
        # What was cut is named as it was, everything else as it will be.
        version = 0 if word == "blocked" else 1
        scene = block.scenes[version]
        assert scene is not None, "flows that are delivered have a segment"
        rows, columns = crossing(block.starts, block.ends, rows, columns)
        ends = apart(block.starts, block.ends, rows, columns)
        if ends is None:
            return
        names = self.names[version]
        from_, to = names[0].of(rows), names[1].of(columns)
        via = tuple(scene.realm.services[uid].name for uid in chain)
        for told in block.ledger.cells.told(mask):
            packet = block.packet(version, *ends, columns, told.cell)
            outcomes = [block.outcome(k, *ends, packet) for k in range(2)]
            yield (
                word,
                FlowChange(
                    from_=from_,
                    to=to,
                    segment=scene.segment.name,
                    to_segment=scene.to_segment.name if scene.to_segment else None,
                    protocol=told.protocol,
                    ports=told.ports,
                    via=via,
                    example=shown(packet),
                    rule_before=outcomes[0].rule if outcomes[0] else None,
                    rule_after=outcomes[1].rule if outcomes[1] else None,
                    fate_before=outcomes[0].disposition if outcomes[0] else None,
                    fate_after=outcomes[1].disposition if outcomes[1] else None,
                ),
            )
