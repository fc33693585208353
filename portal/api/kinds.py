"""The shape of every kind of intent object, for the schema. What is accepted is decided by provisioning.core.intent;
a test holds the two together. References are ids; on input a unique name is accepted too.

Another kind is one shape and one line in ``SHAPES``.
"""

from __future__ import annotations

from typing import Any

from portal.api.fields import anything, choice, flag, mapping, maybe, nullable, number, several, shape, text, texts, uid
from provisioning.core.intent.assertions import EXPECTATIONS
from provisioning.core.intent.connectors import LATER, SUPPORTED
from provisioning.core.intent.policies import ACTIONS

PROTOCOL = "any, tcp, udp, icmp, icmpv6 or a number"
PORTS = "destination ports, like 443 or 8000-8100; empty: all"


def item(name: str, **fields: Any) -> Any:
    return shape(
        name,
        id=uid("stays the same through renames and revisions"),
        key=text("slug of its first name; part of every address", read_only=True),
        name=text(max_length=100),
        description=text(required=False, max_length=2000),
        **fields,
    )


EXCHANGE = item(
    "Exchange",
    location=text("a key of /catalog/exchanges/"),
    size=text("a key of /catalog/sizes/", required=False),
)
SEGMENT = item(
    "Segment",
    stance=choice(("open", "closed"), "open: members reach each other unless a policy denies", required=False),
    prefixes=texts("what the segment is made of", required=False),
    color=maybe("like #2f6fed"),
)
GROUP = item("Group")
CONNECTOR = item(
    "Connector",
    kind=choice([*SUPPORTED, *LATER], f"so far {', '.join(SUPPORTED)}"),
    exchange=text("an exchange"),
    size=text("a key of /catalog/sizes/", required=False),
    enabled=flag(required=False),
    failover_exchange=maybe("an exchange that takes over"),
    redundancy_group=maybe("connectors that may bring equal prefixes name the same one"),
    preference=number("higher is preferred", required=False),
    attachments=several(
        shape("Attachment", segment=text("a segment"), group=maybe("a group"), prefixes=texts(required=False))
    ),
    circuits=several(
        shape(
            "Circuit",
            name=choice(("A", "B")),
            node=number("1 or 2", required=False),
            role=choice(("active", "standby"), required=False),
            local=maybe("the exchange's end, like 169.254.1.1/30"),
            peer=maybe("the far end"),
            vlan=number(allow_null=True, required=False),
            bgp=nullable(shape("Bgp", peer_asn=number(), bfd=flag(required=False))),
        ),
        "filled in where left out",
        required=False,
    ),
    settings=mapping("aws-vpc: account, region, vpc_id, transport, route_tables, subnets", required=False),
    billing_tags=texts(required=False),
)
POLICY = item(
    "Policy",
    position=number("unique in the network; lower is tried first; last where left out of a POST", required=False),
    enabled=flag(required=False),
    apply_to=choice(("all", "new"), "new: flows that are there stay as they were decided", required=False),
    segments=texts("segments"),
    from_=texts("groups, connectors, “any” or “internet”"),
    to=texts("groups, connectors, “any” or “internet”"),
    rules=several(
        shape(
            "Rule",
            name=text(required=False),
            action=choice(ACTIONS),
            services=texts("services, in the order of their inspection", required=False),
            protocol=anything(PROTOCOL, required=False),
            ports=texts(PORTS, required=False),
            source=texts("prefixes or “any”", required=False),
            destination=texts("prefixes or “any”", required=False),
        ),
        "the first that matches and is not watch decides",
        required=False,
    ),
)
SERVICE = item(
    "Service",
    product=text("a key of /catalog/products/"),
    segments=texts("segments"),
    license=choice(("byol", "payg"), required=False),
    on_failure=choice(("closed", "open"), "when no placement has a healthy instance", required=False),
    placements=several(
        shape(
            "Placement",
            exchange=text("an exchange"),
            min_instances=number(required=False),
            max_instances=number(required=False),
        )
    ),
    zones=several(shape("Zone", name=text(), segment=text("a segment"), groups=texts("groups")), required=False),
    settings=mapping("linux-firewall: default (allow or deny) and rules", required=False),
)
ASSERTION = item(
    "Assertion",
    from_=text("a group, a connector, “any” or “internet”"),
    to=text("a group, a connector, “any” or “internet”"),
    segment=maybe("a segment; null: each"),
    protocol=anything(PROTOCOL, required=False),
    ports=texts(PORTS, required=False),
    expect=choice(EXPECTATIONS, "no flow, every flow, or every flow through a service"),
)

SHAPES: dict[str, Any] = {
    "exchanges": EXCHANGE,
    "segments": SEGMENT,
    "groups": GROUP,
    "connectors": CONNECTOR,
    "policies": POLICY,
    "services": SERVICE,
    "assertions": ASSERTION,
}

# What a list may be filtered by beside its name; references by id.
FILTERS: dict[str, tuple[str, ...]] = {
    "exchanges": ("location", "size"),
    "segments": ("stance",),
    "groups": (),
    "connectors": ("kind", "exchange", "size", "billing_tags"),
    "policies": ("segments", "from", "to"),
    "services": ("product", "segments", "license"),
    "assertions": ("from", "to", "segment", "expect"),
}
