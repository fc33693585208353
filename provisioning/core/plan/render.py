"""A plan as a reviewer reads it: what goes first, then what comes, then what differs, each with what it means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from provisioning.core.plan.describe import describe_change
from provisioning.core.plan.membership_changes import MembershipChange
from provisioning.core.values.resource import Action, Change, Problem

_ACTION_SECTIONS: tuple[tuple[Action, str, str], ...] = (
    ("remove", "-", "Remove"),
    ("replace", "±", "Replace"),
    ("create", "+", "Create"),
    ("change", "~", "Change"),
)
MAX_LINES = 40
"""Lines of one change."""

MAX_ALIKE = 8
"""Addresses named of changes with the same description."""

MAX_CHANGES = 1_000
"""Changes of one section; nobody reads more. Removals are all named."""


MAX_MEMBERSHIPS = 200
"""Attachments that join or leave groups; a label of a large network may move them all."""


def render_plan(
    changes: Sequence[Change],
    warnings: Iterable[Problem] = (),
    memberships: Sequence[MembershipChange] = (),
    by_names: Callable[[str], str] = str,
) -> str:
    """Return the whole plan. Changes of a kind with the same description, such as on several nodes, share it.

    ``by_names``: an address → the same with the names of its objects.
    """
    counts = ", ".join(
        f"{sum(change.action == action for change in changes)} to {action}" for action, _, _ in _ACTION_SECTIONS
    )
    lines = [f"Plan: {counts}." if changes else "Plan: nothing to do."]
    for action, sign, title in _ACTION_SECTIONS:
        selected = [change for change in changes if change.action == action]
        if selected:
            lines += ["", title, *_render_section(sign, selected, by_names)]
    if memberships:
        lines += ["", "Groups", *(f"  {'+' if each.joins else '-'} {each}" for each in memberships[:MAX_MEMBERSHIPS])]
    if len(memberships) > MAX_MEMBERSHIPS:
        lines.append(f"  and {len(memberships) - MAX_MEMBERSHIPS} more")
    problems = list(warnings)
    if problems:
        lines += ["", "Warnings", *(f"  ! {problem.message} [{problem.path}]" for problem in problems)]
    return "\n".join(lines) + "\n"


def _render_section(sign: str, changes: list[Change], by_names: Callable[[str], str]) -> Iterator[str]:
    alike: dict[tuple[str, ...], list[Change]] = {}
    described = len(changes) if sign == "-" else MAX_CHANGES
    for change in changes[:described]:
        alike.setdefault((change.kind, *_description(change)), []).append(change)
    for (kind, *description), group in alike.items():
        named = group if sign == "-" else group[:MAX_ALIKE]
        for change in named:
            yield f"  {sign} {by_names(change.address)}  ({kind})"
        if len(group) > len(named):
            yield f"  {sign} and {len(group) - len(named)} more like these"
        yield from (f"      {line}" for line in description)
    for kind, count in sorted(Counter(change.kind for change in changes[described:]).items()):
        yield f"  {sign} and {count} more  ({kind})"


def _description(change: Change) -> list[str]:
    lines = list(islice(describe_change(change), MAX_LINES + 1))
    if not lines and change.action in ("change", "replace"):
        return ["(again: what it refers to is replaced, or an earlier run left it unfinished)"]
    return [*lines[:MAX_LINES], "… and more"] if len(lines) > MAX_LINES else lines
