"""Services: a marketplace product placed at exchanges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.address_match import (
    build_address_match,
    count_match_values,
    prefix_list_references,
    read_address_match,
)
from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.intent_object import (
    IdentityFields,
    IntentObject,
    ObjectReference,
    read_name_and_description,
    reference_pairs,
)
from provisioning.core.intent.limits import MATCH_VALUES, RULES

FIREWALL = "linux-firewall"


@dataclass(frozen=True, slots=True)
class Placement:
    exchange: str
    min_instances: int
    max_instances: int


@dataclass(frozen=True, slots=True)
class Zone:
    name: str
    segment: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """A rule of our own firewall product; empty tuples mean everything."""

    action: str
    protocol: str | int
    ports: tuple[str, ...]
    source: tuple[str, ...]
    destination: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service(IntentObject):
    """``firewall_default`` and ``firewall_rules`` are those of a linux-firewall; other products keep ``settings``."""

    product: str
    segments: tuple[str, ...]
    license: str
    on_failure: str
    placements: tuple[Placement, ...]
    zones: tuple[Zone, ...]
    settings: dict[str, Any]
    firewall_default: str
    firewall_rules: tuple[FirewallRule, ...]
    billing_tags: tuple[str, ...]

    @property
    def instances(self) -> int:
        return sum(placement.min_instances for placement in self.placements)


def _read_placement(body: FieldReader) -> dict[str, Any]:
    least = body.integer("min_instances", 0, 64, 1)
    most = body.integer("max_instances", 0, 64, max(least or 0, 1))
    if isinstance(least, int) and isinstance(most, int) and most < least:
        body.problem("out_of_range", "max_instances", f"At most {most} instances is less than at least {least}.")
    return {"exchange": body.reference("exchange", "exchanges"), "min_instances": least, "max_instances": most}


def _read_zone(body: FieldReader) -> dict[str, Any]:
    return {
        "name": body.text("name", most=60),
        "segment": body.reference("segment", "segments"),
        "groups": body.references("groups", "groups", default=()),
    }


def _read_firewall_rule(body: FieldReader) -> dict[str, Any]:
    protocol = body.protocol()
    return {
        "action": body.choice("action", ("allow", "deny")),
        "protocol": protocol,
        "ports": body.ports(protocol),
        "source": read_address_match(body, "source"),
        "destination": read_address_match(body, "destination"),
    }


def _read_settings(body: FieldReader, product: Any) -> dict[str, Any]:
    settings = body.object("settings", {})
    if settings is None:
        return {}
    if product != FIREWALL:
        return dict(settings.body)
    read = {
        "default": settings.choice("default", ("allow", "deny"), "allow"),
        "rules": settings.objects("rules", _read_firewall_rule, limit=RULES),
    }
    settings.check_limit("rules", count_match_values(read["rules"]), MATCH_VALUES)
    settings.reject_unknown_fields()
    return read


def read(body: FieldReader) -> dict[str, Any]:
    product = body.text("product")
    placements = body.objects("placements", _read_placement)
    where = [placement["exchange"] for placement in placements]
    for place, exchange in enumerate(where):
        if exchange is not None and exchange in where[:place]:
            body.problem("duplicate", f"placements[{place}].exchange", "This exchange already has a placement.")
    return {
        **read_name_and_description(body),
        "product": product,
        "segments": body.references("segments", "segments"),
        "license": body.choice("license", ("byol", "payg"), "byol"),
        "on_failure": body.choice("on_failure", ("closed", "open"), "closed"),
        "placements": placements,
        "zones": body.objects("zones", _read_zone),
        "settings": _read_settings(body, product),
        "billing_tags": body.references("billing_tags", "billing-tags", default=()),
    }


def build(identity: IdentityFields, body: dict[str, Any]) -> Service:
    settings = body["settings"]
    return Service(
        *identity,
        product=body["product"],
        segments=tuple(body["segments"]),
        license=body["license"],
        on_failure=body["on_failure"],
        placements=tuple(
            Placement(one["exchange"], one["min_instances"], one["max_instances"]) for one in body["placements"]
        ),
        zones=tuple(Zone(zone["name"], zone["segment"], tuple(zone["groups"])) for zone in body["zones"]),
        settings=settings,
        firewall_default=settings["default"] if body["product"] == FIREWALL else "allow",
        firewall_rules=tuple(
            FirewallRule(
                action=rule["action"],
                protocol=rule["protocol"],
                ports=tuple(rule["ports"]),
                source=build_address_match(rule["source"]),
                destination=build_address_match(rule["destination"]),
            )
            for rule in (settings["rules"] if body["product"] == FIREWALL else ())
        ),
        billing_tags=tuple(body["billing_tags"]),
    )


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    yield from reference_pairs(body["segments"], "segments")
    for placement in body["placements"]:
        yield "exchanges", placement["exchange"]
    for zone in body["zones"]:
        yield "segments", zone["segment"]
        yield from reference_pairs(zone["groups"], "groups")
    yield from reference_pairs(body["billing_tags"], "billing-tags")
    if body["product"] == FIREWALL:
        for rule in body["settings"]["rules"]:
            yield from prefix_list_references(rule["source"], rule["destination"])
