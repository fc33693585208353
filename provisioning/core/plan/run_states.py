"""What states follow from what: of a run from its steps, of a step from those it depends on."""

from __future__ import annotations

from collections.abc import Collection, Mapping

FINISHED_STATES = frozenset({"done", "failed", "skipped", "cancelled"})
UNSUCCESSFUL_STATES = frozenset({"failed", "skipped", "cancelled"})


def run_state(steps: Collection[str]) -> str:
    """The state of a run with steps in these states.

    A run without steps has nothing to do and succeeded. ``partial``: something was done and something was not.
    """
    if any(state not in FINISHED_STATES for state in steps):
        return "running" if any(state != "pending" for state in steps) else "pending"
    if all(state == "done" for state in steps):
        return "succeeded"
    if "failed" not in steps and "cancelled" in steps:
        return "cancelled"
    return "partial" if "done" in steps else "failed"


def is_ready(state: str, depends: Collection[str]) -> bool:
    """Whether a pending step may begin: all it depends on (their states) is done."""
    return state == "pending" and all(other == "done" for other in depends)


def steps_to_skip(steps: Mapping[str, tuple[str, Collection[str]]]) -> set[str]:
    """The pending steps that can never begin; ``steps``: address → (state, addresses it depends on)."""
    skipped: set[str] = set()
    while True:
        more = {
            address
            for address, (state, depends) in steps.items()
            if state == "pending"
            and address not in skipped
            and any(other in skipped or steps[other][0] in UNSUCCESSFUL_STATES for other in depends if other in steps)
        }
        if not more:
            return skipped
        skipped |= more
