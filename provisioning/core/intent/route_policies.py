"""Route policies: which routes an exchange takes from connectors, and which it tells them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.address_match import build_address_match, prefix_list_references
from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.intent_object import (
    ANY,
    IdentityFields,
    IntentObject,
    ObjectReference,
    read_name_and_description,
    reference_pairs,
)
from provisioning.core.intent.limits import RULES
from provisioning.core.values.as_paths import BadAsPathPattern, compile_as_path

_COMMUNITY = re.compile(r"(\d{1,5}):(\d{1,5})")
_MAX_UINT32 = 4_294_967_295


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """A route matches when every part does; empty ``prefixes`` or ``communities`` and no ``as_path`` match all."""

    prefixes: tuple[str, ...]
    as_path: str | None
    communities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RouteSetClause:
    """What an allowed route is given; 0, None and () leave it as it is."""

    prepend: int
    med: int | None
    local_preference: int | None
    communities: tuple[str, ...]


UNCHANGED = RouteSetClause(0, None, None, ())


@dataclass(frozen=True, slots=True)
class RouteRule:
    match: RouteMatch
    action: str
    set: RouteSetClause


@dataclass(frozen=True, slots=True)
class RoutePolicy(IntentObject):
    """in: what the exchange accepts from the targets (groups, connectors); out: what they are told."""

    segment: str
    direction: str
    targets: tuple[str, ...]
    enabled: bool
    rules: tuple[RouteRule, ...]


def _read_communities(body: FieldReader) -> list[str]:
    found = body.texts("communities")
    for place, text in enumerate(found):
        match = _COMMUNITY.fullmatch(text)
        if not match or any(int(half) > 65535 for half in match.groups()):
            body.problem(
                "not_one_of", f"communities[{place}]", f"“{text}” is not a BGP community; those look like 65000:100."
            )
    return list(dict.fromkeys(found))


def _read_match(body: FieldReader) -> dict[str, Any]:
    prefixes = body.prefixes("prefixes", literals=(ANY,), allow_prefix_lists=True)
    as_path = body.text("as_path", None, most=100)
    if isinstance(as_path, str):
        try:
            compile_as_path(as_path)
        except BadAsPathPattern as error:
            body.problem("not_one_of", "as_path", f"“{as_path}” cannot be read: {error}.")
    return {
        "prefixes": [] if ANY in prefixes else prefixes,
        "as_path": as_path or None,
        "communities": _read_communities(body),
    }


def _read_set(body: FieldReader) -> dict[str, Any]:
    return {
        "prepend": body.integer("prepend", 0, 10, 0),
        "med": body.integer("med", 0, _MAX_UINT32, None),
        "local_preference": body.integer("local_preference", 0, _MAX_UINT32, None),
        "communities": _read_communities(body),
    }


def _read_rule(body: FieldReader) -> dict[str, Any]:
    parts = {}
    for field, read_part in (("match", _read_match), ("set", _read_set)):
        inner = body.object(field, {})
        if inner is not None:
            parts[field] = read_part(inner)
            inner.reject_unknown_fields()
    action = body.choice("action", ("allow", "deny"))
    if action == "deny" and any(parts.get("set", {}).values()):
        body.problem("not_one_of", "set", "A denied route is not told to anybody, so nothing can be set on it.")
    return {**parts, "action": action}


def read(body: FieldReader) -> dict[str, Any]:
    return {
        **read_name_and_description(body),
        "segment": body.reference("segment", "segments"),
        "direction": body.choice("direction", ("in", "out")),
        "targets": body.references("targets", "groups", "connectors"),
        "enabled": body.boolean("enabled", True),
        "rules": body.objects("rules", _read_rule, limit=RULES),
    }


def _build_rule(body: dict[str, Any]) -> RouteRule:
    match, setting = body["match"], body["set"]
    return RouteRule(
        RouteMatch(build_address_match(match["prefixes"]), match["as_path"], tuple(match["communities"])),
        body["action"],
        RouteSetClause(setting["prepend"], setting["med"], setting["local_preference"], tuple(setting["communities"])),
    )


def build(identity: IdentityFields, body: dict[str, Any]) -> RoutePolicy:
    return RoutePolicy(
        *identity,
        segment=body["segment"],
        direction=body["direction"],
        targets=tuple(body["targets"]),
        enabled=body["enabled"],
        rules=tuple(_build_rule(rule) for rule in body["rules"]),
    )


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    yield "segments", body["segment"]
    yield from reference_pairs(body["targets"], "groups", "connectors")
    for rule in body["rules"]:
        yield from prefix_list_references(rule["match"]["prefixes"])
