"""A plan's JSON as its page tells it: figures, sentences, fields before and after. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from provisioning.core.plan import KNOWN_AFTER_APPLY
from provisioning.drivers import find_cloud_address

ACTIONS = ("create", "change", "replace", "remove")
VERBS = {"allowed": "can now reach", "blocked": "can no longer reach"}
DELTA_ACTIONS = {"allowed": ("allow", "allow"), "blocked": ("deny", "block"), "inspected": ("inspect", "inspect")}


def action_counts(steps: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """How many steps of each action, in a fixed order, none of zero."""
    found = Counter(step["action"] for step in steps)
    return [(action, found[action]) for action in ACTIONS if found[action]]


def step_rows(listed: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Removals first; each with its fields before and after as short text."""
    shown = [
        {
            "action": step["action"],
            "address": step["address"],
            "kind": step["kind"],
            "where": address_location(step["address"]),
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
        for step in listed
    ]
    return sorted(shown, key=lambda step: step["action"] != "remove")


def address_location(address: str) -> str:
    """The region or exchange an address lies in."""
    if in_cloud := find_cloud_address(address):
        return in_cloud[1].region
    parts = address.split("/")
    return parts[1] if parts[0] == "exchange" and len(parts) > 1 else ""


def value_text(value: Any) -> str:
    """A field's value on one line; "" for what is not there."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def cost_summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """The price each month as billing gave it, amounts as Decimal; ``note`` says why where there is none."""
    if found.get("monthly_after") is None:
        return {"note": found.get("note", "Nothing is priced."), "lines": []}
    before, after = Decimal(found["monthly_before"]), Decimal(found["monthly_after"])
    return {
        "currency": found["currency"],
        "before": before,
        "after": after,
        "difference": after - before,
        "book": found.get("price_book", ""),
        "lines": [_cost_line(line) for line in found.get("lines", ())],
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


def blast_radius_rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`5 of 17 connectors` with their names, for every kind that is counted."""
    return [
        {
            "kind": kind,
            "touched": len(found[kind]["touched"]),
            "names": found[kind]["touched"],
            "total": found[kind]["total"],
        }
        for kind in ("connectors", "groups", "exchanges", "segments", "services")
        if kind in found
    ]


def reachability_sentences(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each change of reachability as the parts of a sentence, what opens first."""
    return [_delta_sentence(word, change) for word in DELTA_ACTIONS for change in found.get(word, ())]


def reachability_counts(found: Mapping[str, Any]) -> dict[str, Any]:
    through = dict.fromkeys(name for change in found.get("inspected", ()) for name in change.get("via", ()))
    counted: dict[str, Any] = {word: len(found.get(word, ())) for word in DELTA_ACTIONS}
    return {**counted, "through": f"through {', '.join(through)}" if through else ""}


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


def endpoint_names(change: Mapping[str, Any], side: str) -> str:
    """Who is at one side of a flow, as one says it."""
    names = list(change.get(side) or change.get(f"{side}_") or ())
    spoken = ["any connector" if name == "any" else "the internet" if name == "internet" else name for name in names]
    return spoken[0] if len(spoken) == 1 else ", ".join(spoken[:-1]) + f" and {spoken[-1]}" if spoken else "nothing"


def flow_text(change: Mapping[str, Any]) -> str:
    """`tcp/443`, `any port`: the protocol and ports of a change or of a reached flow."""
    protocol, ports = str(change.get("protocol", "any")), change.get("ports") or ()
    if ports:
        return f"{protocol}/{', '.join(map(str, ports))}"
    return {"any": "any port", "other": "other protocols"}.get(protocol, protocol)


def example_packet_text(packet: Mapping[str, Any] | None) -> str:
    """A packet that shows it: `10.1.0.2 → 10.4.0.2 tcp/443`."""
    if not packet:
        return ""
    port = f"/{packet['port']}" if packet.get("port") is not None else ""
    return f"{packet['source']} → {packet['destination']} {packet['protocol']}{port}"


def _decision_sides(change: Mapping[str, Any]) -> tuple[str, ...]:
    after, before = ((change.get(f"rule_{side}"), change.get(f"fate_{side}")) for side in ("after", "before"))
    same = after == before or (after[0] and after[0] == before[0])
    return ("after",) if same else ("after", "before")


def _decision_text(change: Mapping[str, Any], side: str, segment: str) -> dict[str, Any]:
    """What decides it from now on, and what did before: in words, and the rule to link to."""
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


def deciding_rule_text(rule: str | None, segment: str) -> str:
    """The rule that decides, by its id `policy/rule`, the share `share/key`, or the default action where none does."""
    if not rule:
        return f"the default action of {segment}"
    if rule.startswith("share/"):
        return f"share {rule.removeprefix('share/')}"
    policy, _, name = rule.partition("/")
    return f"policy {policy}, rule {name}"
