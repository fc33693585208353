"""A plan as a reviewer reads it: what goes first, then what comes, then what differs, each with what it means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from provisioning.core.plan.telling import lines
from provisioning.core.resource import Action, Change, Problem

_SECTIONS: tuple[tuple[Action, str, str], ...] = (
    ("remove", "-", "Remove"),
    ("replace", "±", "Replace"),
    ("create", "+", "Create"),
    ("change", "~", "Change"),
)
MOST_LINES = 40
"""Of one change."""

MOST_ALIKE = 8
MOST_CHANGES = 1_000
"""Of one section; nobody reads more. Removals are all named."""


def text(changes: Sequence[Change], warnings: Iterable[Problem] = ()) -> str:
    """The whole plan. Changes of one kind that say the same, such as on several nodes, are told once."""
    counts = ", ".join(
        f"{sum(change.action == action for change in changes)} to {action}" for action, _, _ in _SECTIONS
    )
    told = [f"Plan: {counts}." if changes else "Plan: nothing to do."]
    for action, sign, title in _SECTIONS:
        some = [change for change in changes if change.action == action]
        if some:
            told += ["", title, *_section(sign, some)]
    problems = list(warnings)
    if problems:
        told += ["", "Warnings", *(f"  ! {problem.message} [{problem.path}]" for problem in problems)]
    return "\n".join(told) + "\n"


def _section(sign: str, changes: list[Change]) -> Iterator[str]:
    alike: dict[tuple[str, ...], list[Change]] = {}
    most = len(changes) if sign == "-" else MOST_CHANGES
    for change in changes[:most]:
        alike.setdefault((change.kind, *_told(change)), []).append(change)
    for (kind, *told), some in alike.items():
        named = some if sign == "-" else some[:MOST_ALIKE]
        for change in named:
            yield f"  {sign} {change.address}  ({kind})"
        if len(some) > len(named):
            yield f"  {sign} and {len(some) - len(named)} more like these"
        yield from (f"      {line}" for line in told)
    for kind, count in sorted(Counter(change.kind for change in changes[most:]).items()):
        yield f"  {sign} and {count} more  ({kind})"


def _told(change: Change) -> list[str]:
    told = list(islice(lines(change), MOST_LINES + 1))
    if not told and change.action in ("change", "replace"):
        return ["(again: what it refers to is replaced, or an earlier run left it unfinished)"]
    return [*told[:MOST_LINES], "… and more"] if len(told) > MOST_LINES else told
