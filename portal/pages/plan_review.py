"""A plan's JSON in the words of its page: figures, sentences, fields before and after. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from portal.pages.flow_words import deciding_rule_text, endpoint_names, example_packet_text, flow_text
from provisioning.core.plan import KNOWN_AFTER_APPLY
from provisioning.drivers import find_cloud_address
from provisioning.selectors.object_names import ObjectNames, address_by_names

ACTIONS = ("create", "change", "replace", "remove")
VERBS = {"allowed": "can now reach", "blocked": "can no longer reach"}
DELTA_ACTIONS = {"allowed": ("allow", "allow"), "blocked": ("deny", "block"), "inspected": ("inspect", "inspect")}


def action_counts(steps: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Return how many steps there are of each action, in a fixed order, without zeros."""
    counts = Counter(step["action"] for step in steps)
    return [(action, counts[action]) for action in ACTIONS if counts[action]]


def step_rows(steps: Iterable[Mapping[str, Any]], names: ObjectNames) -> list[dict[str, Any]]:
    """Return rows for the steps, removals first, each with its fields before and after as short text.

    ``names``: of the objects in their addresses.
    """
    rows = [
        {
            "action": step["action"],
            "address": step["address"],
            "by_names": address_by_names(step["address"], names),
            "kind": step["kind"],
            "where": address_location(address_by_names(step["address"], names)),
            "fields": [
                {
                    "path": field["path"],
                    "before": value_text(field["before"]),
                    "after": value_text(field["after"]),
                    "later": field["after"] == KNOWN_AFTER_APPLY,
                }
                for field in step.get("fields", ())
            ],
        }
        for step in steps
    ]
    return sorted(rows, key=lambda step: step["action"] != "remove")


def address_location(address: str) -> str:
    """Return the region or exchange an address lies in, or ""."""
    if in_cloud := find_cloud_address(address):
        return in_cloud[1].region
    parts = address.split("/")
    return parts[1] if parts[0] == "exchange" and len(parts) > 1 else ""


def value_text(value: Any) -> str:
    """Return a field's value on one line; "" for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def cost_summary(cost: Mapping[str, Any]) -> dict[str, Any]:
    """Return the monthly price that billing computed, amounts as Decimal; ``note`` says why when there is none."""
    if cost.get("monthly_after") is None:
        return {"note": cost.get("note", "Nothing is priced."), "lines": []}
    before, after = Decimal(cost["monthly_before"]), Decimal(cost["monthly_after"])
    return {
        "currency": cost["currency"],
        "before": before,
        "after": after,
        "difference": after - before,
        "book": cost.get("price_book", ""),
        "lines": [_cost_line(line) for line in cost.get("lines", ())],
    }


def _cost_line(line: Mapping[str, Any]) -> dict[str, Any]:
    side = line.get("after") or line.get("before") or {}
    subject = line.get("subject") or {}
    return {
        "cause": subject.get("title") or subject.get("name") or "",
        "meter": side.get("label") or line.get("label") or line["meter"],
        "quantity": side.get("quantity"),
        "unit": line.get("unit", ""),
        "price": Decimal(side["unit_price"]) if side.get("unit_price") else None,
        "amount": Decimal(line["amount"]),
    }


def blast_radius_rows(radius: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the figures of ``5 of 17 connectors`` with their names, for every kind that is counted."""
    return [
        {
            "kind": kind,
            "touched": len(radius[kind]["touched"]),
            "names": radius[kind]["touched"],
            "total": radius[kind]["total"],
        }
        for kind in ("connectors", "groups", "exchanges", "segments", "services")
        if kind in radius
    ]


def reachability_sentences(delta: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each change of reachability as the parts of a sentence; newly allowed flows come first."""
    return [_delta_sentence(word, change) for word in DELTA_ACTIONS for change in delta.get(word, ())]


def reachability_counts(delta: Mapping[str, Any]) -> dict[str, Any]:
    through = dict.fromkeys(name for change in delta.get("inspected", ()) for name in change.get("via", ()))
    counts: dict[str, Any] = {word: len(delta.get(word, ())) for word in DELTA_ACTIONS}
    return {**counts, "through": f"through {', '.join(through)}" if through else ""}


def _delta_sentence(word: str, change: Mapping[str, Any]) -> dict[str, Any]:
    via, segment = ", then ".join(change.get("via", ())), change.get("segment", "")
    action, shown = DELTA_ACTIONS[word]
    if word == "inspected" and not via:
        action, shown = "allow", "allow"
    return {
        "action": action,
        "word": shown,
        "from": endpoint_names(change, "from"),
        "to": endpoint_names(change, "to"),
        "verb": VERBS.get(word, "reaches" if via else "is no longer inspected on the way to"),
        "now": word == "inspected" and bool(via),
        "flow": flow_text(change),
        "segment": segment,
        "to_segment": change.get("to_segment") or segment,
        "through": via,
        "example": example_packet_text(change.get("example")),
        "decided": [_decision_text(change, side, segment) for side in _decision_sides(change)],
    }


def _decision_sides(change: Mapping[str, Any]) -> tuple[str, ...]:
    after, before = ((change.get(f"rule_{side}"), change.get(f"fate_{side}")) for side in ("after", "before"))
    same = after == before or (after[0] and after[0] == before[0])
    return ("after",) if same else ("after", "before")


def _decision_text(change: Mapping[str, Any], side: str, segment: str) -> dict[str, Any]:
    """Return what decides a flow before or after the plan: words, and the rule to link to."""
    rule, fate = change.get(f"rule_{side}"), change.get(f"fate_{side}", "denied_by_default")
    across = change.get("to_segment") not in (None, segment)
    if rule:
        words = deciding_rule_text(rule, segment)
    elif fate == "no_route":
        words = "a route policy, which gives it no route"
    elif across:
        words = "no share between these addresses"
    else:
        words = deciding_rule_text(None, segment) if fate else f"no such address in {segment}"
    return {"rule": rule, "words": words, "before": side == "before"}
