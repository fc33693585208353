"""Objects that contain others of their kind: groups in groups, prefix lists and port lists in such lists.

Every check here takes time in proportion to what is named, since a document may have a hundred thousand of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from provisioning.core.check.names import object_label
from provisioning.core.intent import Group
from provisioning.core.intent.limits import MAX_LEVELS
from provisioning.core.intent.list_resolver import MatchList
from provisioning.core.values.resource import Problem

Contains = Mapping[str, Sequence[str]]


def check_containment(kind: str, word: str, objects: Mapping[str, Group | MatchList]) -> Iterator[Problem]:
    """Report objects that contain themselves, directly or through others, and those in more than MAX_LEVELS levels.

    ``word``: what messages and codes call one of them.
    """
    contains = {each.uid: [uid for uid in each.contains if uid in objects] for each in objects.values()}
    innermost_first = _innermost_first(contains)
    circles = _circles(contains, innermost_first)
    levels = _levels(contains, innermost_first, circles)
    for outer in objects.values():
        place = f"{kind}/{outer.key}/contains"
        inner = next((uid for uid in contains[outer.uid] if circles[uid] == circles[outer.uid]), None)
        if inner is not None:
            through = "itself" if inner == outer.uid else f"{word} “{objects[inner].name}”, which contains it"
            yield Problem(
                f"{word}_circle",
                f"{place}[{outer.contains.index(inner)}]",
                f"{object_label(kind, outer)} contains {through}. Take one of them out.",
            )
        elif levels[outer.uid] == MAX_LEVELS + 1:
            yield Problem(
                "too_many_levels",
                place,
                f"{object_label(kind, outer)} contains others that contain others, in more than {MAX_LEVELS} "
                "levels. Let it contain those of the lower levels itself.",
            )


def _innermost_first(contains: Contains) -> list[str]:
    """Return all of them in the order in which a search in depth leaves them."""
    left, seen = list[str](), set[str]()
    for root in contains:
        pending = [(root, iter(contains[root]))] if root not in seen else []
        seen.add(root)
        while pending:
            uid, inner = pending[-1]
            following = next((each for each in inner if each not in seen), None)
            if following is None:
                left.append(uid)
                pending.pop()
            else:
                seen.add(following)
                pending.append((following, iter(contains[following])))
    return left


def _circles(contains: Contains, innermost_first: Sequence[str]) -> dict[str, str]:
    """Return each → one of those that it contains and that contain it, the same one for all of them.

    Strongly connected components (Kosaraju and Sharir, "A strong-connectivity algorithm", 1981).
    """
    containing: dict[str, list[str]] = {uid: [] for uid in contains}
    for outer, inner in contains.items():
        for uid in inner:
            containing[uid].append(outer)
    circles: dict[str, str] = {}
    for root in reversed(innermost_first):
        pending = [root]
        while pending:
            uid = pending.pop()
            if uid not in circles:
                circles[uid] = root
                pending += containing[uid]
    return circles


def _levels(contains: Contains, innermost_first: Sequence[str], circles: Mapping[str, str]) -> dict[str, int]:
    """Return how many levels each has, 1 where it contains none; a circle counts as one."""
    levels: dict[str, int] = {}
    for uid in innermost_first:
        below = (levels[inner] for inner in contains[uid] if circles[inner] != circles[uid])
        levels[uid] = 1 + max(below, default=0)
    return levels
