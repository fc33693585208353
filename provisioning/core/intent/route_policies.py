"""Route policies: which routes an exchange takes from connectors, and which it tells them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.as_paths import BadPattern, pattern
from provisioning.core.intent.item import ANY, Identity, Item, Reference, named, read_name
from provisioning.core.intent.limits import RULES
from provisioning.core.intent.matching import addresses, lists_in
from provisioning.core.intent.reading import Reader

_COMMUNITY = re.compile(r"(\d{1,5}):(\d{1,5})")
_MOST = 4_294_967_295


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """A route matches when every part does; empty ``prefixes`` or ``communities`` and no ``as_path`` match all."""

    prefixes: tuple[str, ...]
    as_path: str | None
    communities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RouteSet:
    """What an allowed route is given; 0, None and () leave it as it is."""

    prepend: int
    med: int | None
    local_preference: int | None
    communities: tuple[str, ...]


UNCHANGED = RouteSet(0, None, None, ())


@dataclass(frozen=True, slots=True)
class RouteRule:
    match: RouteMatch
    action: str
    set: RouteSet


@dataclass(frozen=True, slots=True)
class RoutePolicy(Item):
    """in: what the exchange accepts from the targets (groups, connectors); out: what they are told."""

    segment: str
    direction: str
    targets: tuple[str, ...]
    enabled: bool
    rules: tuple[RouteRule, ...]


def _read_communities(body: Reader) -> list[str]:
    found = body.texts("communities")
    for place, text in enumerate(found):
        match = _COMMUNITY.fullmatch(text)
        if not match or any(int(half) > 65535 for half in match.groups()):
            body.problem(
                "not_one_of", f"communities[{place}]", f"“{text}” is not a BGP community; those look like 65000:100."
            )
    return list(dict.fromkeys(found))


def _read_match(body: Reader) -> dict[str, Any]:
    prefixes = body.prefixes("prefixes", literals=(ANY,), lists=True)
    as_path = body.text("as_path", None, most=100)
    if isinstance(as_path, str):
        try:
            pattern(as_path)
        except BadPattern as error:
            body.problem("not_one_of", "as_path", f"“{as_path}” cannot be read: {error}.")
    return {
        "prefixes": [] if ANY in prefixes else prefixes,
        "as_path": as_path or None,
        "communities": _read_communities(body),
    }


def _read_set(body: Reader) -> dict[str, Any]:
    return {
        "prepend": body.integer("prepend", 0, 10, 0),
        "med": body.integer("med", 0, _MOST, None),
        "local_preference": body.integer("local_preference", 0, _MOST, None),
        "communities": _read_communities(body),
    }


def _read_rule(body: Reader) -> dict[str, Any]:
    parts = {}
    for field, read_part in (("match", _read_match), ("set", _read_set)):
        inner = body.object(field, {})
        if inner is not None:
            parts[field] = read_part(inner)
            inner.finish()
    action = body.choice("action", ("allow", "deny"))
    if action == "deny" and any(parts.get("set", {}).values()):
        body.problem("not_one_of", "set", "A denied route is not told to anybody, so nothing can be set on it.")
    return {**parts, "action": action}


def read(body: Reader) -> dict[str, Any]:
    return {
        **read_name(body),
        "segment": body.reference("segment", "segments"),
        "direction": body.choice("direction", ("in", "out")),
        "targets": body.references("targets", "groups", "connectors"),
        "enabled": body.flag("enabled", True),
        "rules": body.objects("rules", _read_rule, limit=RULES),
    }


def _rule(body: dict[str, Any]) -> RouteRule:
    match, setting = body["match"], body["set"]
    return RouteRule(
        RouteMatch(addresses(match["prefixes"]), match["as_path"], tuple(match["communities"])),
        body["action"],
        RouteSet(setting["prepend"], setting["med"], setting["local_preference"], tuple(setting["communities"])),
    )


def build(identity: Identity, body: dict[str, Any]) -> RoutePolicy:
    return RoutePolicy(
        *identity,
        segment=body["segment"],
        direction=body["direction"],
        targets=tuple(body["targets"]),
        enabled=body["enabled"],
        rules=tuple(_rule(rule) for rule in body["rules"]),
    )


def references(body: dict[str, Any]) -> Iterator[Reference]:
    yield "segments", body["segment"]
    yield from named(body["targets"], "groups", "connectors")
    for rule in body["rules"]:
        yield from lists_in(rule["match"]["prefixes"])
