"""A plan as a reviewer reads it: what goes first, then what comes, then what differs, each with what it means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from provisioning.core.plan.describe import describe_change
from provisioning.core.values.resource import Action, Change, Problem

_ACTION_SECTIONS: tuple[tuple[Action, str, str], ...] = (
    ("remove", "-", "Remove"),
    ("replace", "±", "Replace"),
    ("create", "+", "Create"),
    ("change", "~", "Change"),
)
MAX_LINES = 40
"""Of one change."""

MAX_ALIKE = 8
MAX_CHANGES = 1_000
"""Of one section; nobody reads more. Removals are all named."""


def render_plan(changes: Sequence[Change], warnings: Iterable[Problem] = ()) -> str:
    """The whole plan. Changes of one kind that say the same, such as on several nodes, are told once."""
    counts = ", ".join(
        f"{sum(change.action == action for change in changes)} to {action}" for action, _, _ in _ACTION_SECTIONS
    )
    told = [f"Plan: {counts}." if changes else "Plan: nothing to do."]
    for action, sign, title in _ACTION_SECTIONS:
        some = [change for change in changes if change.action == action]
        if some:
            told += ["", title, *_render_section(sign, some)]
    problems = list(warnings)
    if problems:
        told += ["", "Warnings", *(f"  ! {problem.message} [{problem.path}]" for problem in problems)]
    return "\n".join(told) + "\n"


def _render_section(sign: str, changes: list[Change]) -> Iterator[str]:
    alike: dict[tuple[str, ...], list[Change]] = {}
    most = len(changes) if sign == "-" else MAX_CHANGES
    for change in changes[:most]:
        alike.setdefault((change.kind, *_description(change)), []).append(change)
    for (kind, *told), some in alike.items():
        named = some if sign == "-" else some[:MAX_ALIKE]
        for change in named:
            yield f"  {sign} {change.address}  ({kind})"
        if len(some) > len(named):
            yield f"  {sign} and {len(some) - len(named)} more like these"
        yield from (f"      {line}" for line in told)
    for kind, count in sorted(Counter(change.kind for change in changes[most:]).items()):
        yield f"  {sign} and {count} more  ({kind})"


def _description(change: Change) -> list[str]:
    told = list(islice(describe_change(change), MAX_LINES + 1))
    if not told and change.action in ("change", "replace"):
        return ["(again: what it refers to is replaced, or an earlier run left it unfinished)"]
    return [*told[:MAX_LINES], "… and more"] if len(told) > MAX_LINES else told
