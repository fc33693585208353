"""What a change would make reachable, unreachable, or send another way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provisioning.core.flows import describe
from provisioning.core.network import Network
from provisioning.core.reach.atlas import BEYOND, MEMBER, AddressClass, Atlas
from provisioning.core.reach.book import Verdicts
from provisioning.core.reach.labels import Example, labels, packet_between
from provisioning.core.reach.rectangles import Pair, rectangles


@dataclass(frozen=True, slots=True)
class FlowChange:
    """Flows whose fate changes.

    from_, to: names of groups, connectors, ``any``, ``internet``. segment: name. protocol: ``any``, a name, a number
    or ``other``; ports empty: all. via: names of the services passed after the change. rule_before, rule_after: ids of
    the rules that decide, None where the stance does (or nothing is there).
    """

    from_: tuple[str, ...]
    to: tuple[str, ...]
    segment: str
    protocol: str
    ports: tuple[str, ...]
    via: tuple[str, ...]
    example: Example
    rule_before: str | None
    rule_after: str | None


@dataclass(frozen=True, slots=True)
class Delta:
    """``inspected``: delivered before and after, through other services; ``via`` empty means through none any more."""

    allowed: tuple[FlowChange, ...] = ()
    blocked: tuple[FlowChange, ...] = ()
    inspected: tuple[FlowChange, ...] = ()


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is told together."""

    word: str
    mask: int
    via: tuple[str, ...]
    rule_before: str | None
    rule_after: str | None


def delta(before: Network, after: Network) -> Delta:
    """The difference of two networks for every packet there can be, told in pairs of groups and connectors."""
    found: dict[str, list[FlowChange]] = {"allowed": [], "blocked": [], "inspected": []}
    segments = sorted({**before.intent.segments, **after.intent.segments}.values(), key=lambda segment: segment.number)
    for segment in segments:
        realms = [one.realm(segment.uid) if segment.uid in one.intent.segments else None for one in (before, after)]
        if realms[0] is realms[1]:
            continue
        atlas = Atlas(realms)
        for kind, pairs in _changed(atlas).items():
            found[kind.word].extend(_tell(atlas, kind, pairs, (before, after)))
    return Delta(**{word: tuple(sorted(changes, key=_order)) for word, changes in found.items()})


def _order(change: FlowChange) -> tuple[object, ...]:
    return change.segment, change.from_, change.to, change.protocol, change.ports, change.via


def _changed(atlas: Atlas) -> dict[_Kind, list[Pair]]:
    found: dict[_Kind, list[Pair]] = {}
    memo: dict[tuple[int, int], tuple[_Kind, ...]] = {}
    for start in atlas.classes:
        for end in atlas.classes:
            one, other = _both(atlas, start, end)
            if one is other or not atlas.real(start, end):
                continue
            # Verdicts are kept by the books of this atlas, so equal ones mostly are the same object.
            key = id(one), id(other)
            if key not in memo:
                memo[key] = _compare(one, other)
            for kind in memo[key]:
                found.setdefault(kind, []).append((start, end))
    return found


def _both(atlas: Atlas, start: AddressClass, end: AddressClass) -> tuple[Verdicts, Verdicts]:
    """The verdicts before and after.

    An address that a connector takes from the internet, or leaves to it, is another place afterwards: that flows to
    it went out to the internet says nothing about the connector.
    """
    was, becomes = (view.whose for view in end.views)
    one = atlas.no_route if (was, becomes) == (BEYOND, MEMBER) else atlas.verdicts(0, start, end)
    other = atlas.no_route if (was, becomes) == (MEMBER, BEYOND) else atlas.verdicts(1, start, end)
    return one, other


def _compare(before: Verdicts, after: Verdicts) -> tuple[_Kind, ...]:
    masks: dict[tuple[str, tuple[str, ...], str | None, str | None], int] = {}
    for mask, one in before:
        for other_mask, other in after:
            both = mask & other_mask
            if not both:
                continue
            if one.delivered and other.delivered:
                word = "inspected" if one.chain != other.chain else ""
            else:
                word = "blocked" if one.delivered else "allowed" if other.delivered else ""
            if word:
                key = word, other.chain if other.delivered else (), one.rule, other.rule
                masks[key] = masks.get(key, 0) | both
    return tuple(_Kind(word, mask, via, one, other) for (word, via, one, other), mask in masks.items())


def _tell(atlas: Atlas, kind: _Kind, pairs: list[Pair], versions: tuple[Network, Network]) -> Iterator[FlowChange]:
    # What was cut is named as it was, everything else as it will be.
    version = 0 if kind.word == "blocked" else 1
    realm = atlas.realms[version]
    assert realm is not None, "flows that are delivered have a segment"
    via = tuple(versions[1].intent.services[uid].name for uid in kind.via)
    for starts, ends in rectangles(pairs):
        start, end = _apart(starts, ends)
        for told in describe(atlas.cells.intervals(kind.mask)):
            yield FlowChange(
                from_=labels(versions[version], realm, version, starts),
                to=labels(versions[version], realm, version, ends),
                segment=realm.segment.name,
                protocol=told.protocol,
                ports=told.ports,
                via=via,
                example=packet_between(version, start, end, told.cell),
                rule_before=kind.rule_before,
                rule_after=kind.rule_after,
            )


def _apart(starts: list[AddressClass], ends: list[AddressClass]) -> Pair:
    return next(((start, end) for start in starts for end in ends if Atlas.real(start, end)), (starts[0], ends[0]))
