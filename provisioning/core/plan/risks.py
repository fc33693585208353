"""Risks of a plan: what a person confirms by name, with a reason, before it is provisioned. Reads a plan's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from provisioning.core.values.resource import Problem

MANY_REMOVALS = 5
"""From this many removed resources on, a person says that they mean it."""

EXCHANGE_KIND = "exchange.presence"
RISKY_WARNINGS = ("internet_exposure", "gateway_replaced", "gateway_removed")
MAX_EXAMPLES = 3


def plan_risks(
    steps: Iterable[Mapping[str, Any]], reachability: Mapping[str, Sequence[Any]], warnings: Sequence[Mapping[str, Any]]
) -> list[Problem]:
    """Return one warning for each way in which a plan is risky: it removes much, opens something or cuts flows.

    The arguments are those of the API's plan: ``steps`` with action, address and kind, ``reachability`` with its lists
    of flows, ``warnings`` with code and message.
    """
    return [*_removals(list(steps)), *_cut_flows(reachability.get("blocked", ())), *_warned(warnings)]


def _removals(steps: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for step in steps:
        if step["kind"] == EXCHANGE_KIND and step["action"] in ("remove", "replace"):
            yield _risk(f"exchange_{step['action']}d", f"{step['address']} is {step['action']}d with all it carries.")
    removed = [step["address"] for step in steps if step["action"] == "remove"]
    if len(removed) >= MANY_REMOVALS:
        yield _risk("large_delete", f"{len(removed)} resources are removed: {_examples(removed)}.")


def _cut_flows(blocked: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    if blocked:
        flows = "1 flow that passes now is" if len(blocked) == 1 else f"{len(blocked)} flows that pass now are"
        yield _risk("flows_cut", f"{flows} cut.")


def _warned(warnings: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for code in RISKY_WARNINGS:
        messages = [warning["message"] for warning in warnings if warning["code"] == code]
        if messages:
            more = f" And {len(messages) - 1} more like it." if len(messages) > 1 else ""
            yield _risk(code, messages[0] + more)


def _examples(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - MAX_EXAMPLES} more" if len(addresses) > MAX_EXAMPLES else ""
    return ", ".join(addresses[:MAX_EXAMPLES]) + more


def _risk(code: str, message: str) -> Problem:
    return Problem(code, "", message, "warning")
