"""The state of a run, from the states of its steps."""

from __future__ import annotations

from collections.abc import Collection

FINISHED_STATES = frozenset({"done", "failed", "skipped", "cancelled"})


def run_state(steps: Collection[str]) -> str:
    """Return the state of a run whose steps are in these states; how many are in each does not matter.

    A run without steps has nothing to do and succeeded. ``partial``: something was done and something was not.
    """
    if any(state not in FINISHED_STATES for state in steps):
        return "running" if any(state != "pending" for state in steps) else "pending"
    if all(state == "done" for state in steps):
        return "succeeded"
    if "failed" not in steps and "cancelled" in steps:
        return "cancelled"
    return "partial" if "done" in steps else "failed"
