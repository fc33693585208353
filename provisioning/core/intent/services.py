"""Services: a marketplace product placed at exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from provisioning.core.intent.billing_tags import BillingTags
from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import (
    CatalogueKey,
    Choice,
    Converter,
    Integer,
    IpProtocols,
    Nested,
    Object,
    Objects,
    Reference,
    References,
    Text,
)
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind
from provisioning.core.intent.limits import MATCH_VALUES, RULES
from provisioning.core.intent.match_fields import (
    DestinationMatch,
    Dscp,
    IcmpTypes,
    RulePorts,
    SourceMatch,
    SourcePorts,
    count_match_values,
)

FIREWALL = "linux-firewall"
_ACTIONS = {"allow": "allow", "deny": "deny"}


@dataclass(frozen=True, slots=True)
class Placement:
    exchange: Annotated[str, Reference(("exchanges",), filter=True)]
    min_instances: Annotated[int, Integer(0, 64, default=1, label="Instances, at least")]
    max_instances: Annotated[
        int, Integer(0, 64, default=None, label="At most", help="empty: as many as at least, and one")
    ]

    @staticmethod
    def check_body(reader: FieldReader, body: dict[str, Any]) -> None:
        least, most = body["min_instances"], body["max_instances"]
        if most is None:
            body["max_instances"] = max(least or 0, 1)
        elif isinstance(least, int) and most < least:
            wrong = f"At most {most} instances is less than at least {least}."
            reader.problem("out_of_range", "max_instances", wrong)


@dataclass(frozen=True, slots=True)
class Zone:
    name: Annotated[str, Text(60)]
    segment: Annotated[str, Reference(("segments",))]
    groups: Annotated[tuple[str, ...], References(("groups",), default=())]


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """A rule of our own firewall product; empty tuples mean everything."""

    action: Annotated[str, Choice(_ACTIONS)]
    protocol: Annotated[tuple[str | int, ...], IpProtocols()]
    ports: Annotated[tuple[str, ...], RulePorts()]
    source_ports: Annotated[tuple[str, ...], SourcePorts()]
    icmp_types: Annotated[tuple[str, ...], IcmpTypes()]
    dscp: Annotated[int | None, Dscp()]
    source: SourceMatch
    destination: DestinationMatch


@dataclass(frozen=True, slots=True)
class FirewallSettings:
    """What a linux-firewall does with what it inspects."""

    default: Annotated[
        str, Choice({"allow": "is allowed", "deny": "is denied"}, default="allow", label="What no rule matches")
    ]
    rules: Annotated[tuple[FirewallRule, ...], Objects(limit=RULES, word="rule", help="the first that matches decides")]

    @staticmethod
    def check_body(reader: FieldReader, body: dict[str, Any]) -> None:
        reader.check_limit("rules", count_match_values(body["rules"]), MATCH_VALUES)


@dataclass(frozen=True)
class ServiceSettings(Object):
    """Of a linux-firewall its rules; of another product whatever its vendor reads."""

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        if before["product"] == FIREWALL:
            return super().read(reader, name, before, nested)
        settings = reader.object(name, {})
        return {} if settings is None else dict(settings.body)

    def is_declared_in(self, body: Mapping[str, Any]) -> bool:
        return bool(body["product"] == FIREWALL)

    def converter(self, nested: Nested | None) -> Converter | None:
        assert nested is not None, "settings are annotated with those of a firewall"
        build = nested.build
        return lambda value, number, body: build(value, number) if self.is_declared_in(body) else value


@dataclass(frozen=True, slots=True)
class Service(IntentObject):
    """``settings`` of products that are no linux-firewall are kept as they are stored."""

    product: Annotated[str, CatalogueKey(offers="products", filter=True)]
    segments: Annotated[tuple[str, ...], References(("segments",), filter=True, in_bulk=True)]
    license: Annotated[
        str,
        Choice({"payg": "Pay as you go", "byol": "Bring your own"}, default="byol", label="Licence", filter=True),
    ]
    on_failure: Annotated[
        str,
        Choice(
            {"closed": "Closed: inspected flows stop", "open": "Open: they pass without inspection"},
            default="closed",
            label="When it has no instance",
            help="when no placement has an instance; their health is not looked at yet",
        ),
    ]
    placements: Annotated[
        tuple[Placement, ...],
        Objects(
            word="placement",
            help="a flow is inspected at the exchange of its anchor, else at the nearest one",
        ),
    ]
    zones: Annotated[tuple[Zone, ...], Objects(word="zone", help="how groups are called inside the firewall")]
    settings: Annotated[
        FirewallSettings | Mapping[str, Any],
        ServiceSettings(
            default={},
            help=f"of a linux-firewall: default (allow or deny) and rules, at most {RULES.most:,}, with what they "
            "write down bounded like a policy's",
        ),
    ]
    billing_tags: BillingTags

    @property
    def instances(self) -> int:
        return sum(placement.min_instances for placement in self.placements)

    @property
    def firewall_default(self) -> str:
        return self.settings.default if isinstance(self.settings, FirewallSettings) else "allow"

    @property
    def firewall_rules(self) -> tuple[FirewallRule, ...]:
        return self.settings.rules if isinstance(self.settings, FirewallSettings) else ()

    @staticmethod
    def check_body(reader: FieldReader, body: Mapping[str, Any]) -> None:
        exchanges = [placement["exchange"] for placement in body["placements"]]
        for index, exchange in enumerate(exchanges):
            if exchange is not None and exchange in exchanges[:index]:
                wrong = "This exchange already has a placement."
                reader.problem("duplicate", f"placements[{index}].exchange", wrong)


KIND = Kind(
    "services",
    Service,
    "service",
    "services",
    "A firewall of the marketplace in your network, with instances at one or more exchanges. A rule whose action is "
    "inspect sends its flows through it.",
    {
        "name": "fw",
        "product": "linux-firewall",
        "segments": ["corp"],
        "license": "payg",
        "on_failure": "closed",
        "placements": [{"exchange": "eu", "min_instances": 1, "max_instances": 3}],
        "zones": [{"name": "trust", "segment": "corp", "groups": ["prod"]}],
    },
    counted=True,
    affects_connectors=True,
)
