"""The shape of every kind of intent object, for the schema. What is accepted is decided by provisioning.core.intent;
a test holds the two together. References are ids; on input a unique name is accepted too.

Another kind is one shape and one line in ``SHAPES``.
"""

from __future__ import annotations

from typing import Any

from portal.api.fields import anything, choice, flag, mapping, maybe, nullable, number, several, shape, text, texts, uid
from provisioning.core.intent.assertions import EXPECTATIONS
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.intent.limits import (
    LITERAL_PREFIXES, ATTACHMENTS, ENTRIES, REFERENCES, LIST_ITEMS, PORTS, PREFIXES, RULES, MATCH_VALUES, Limit)
from provisioning.core.intent.policies import ACTIONS
from provisioning.core.intent.shares import DIRECTIONS

SETTINGS = (
    "aws-vpc: account, region, vpc_id, transport, route_tables, subnets. "
    "azure-vnet: subscription, resource_group, vnet, region, mode (vnet-gateway, transit-vnet, vhub), gateway. "
    "gcp-vpc: project, network, region, subnets. "
    "ipsec-site: peer_addresses, identity, credential, ike, ike_proposal, esp_proposal. "
    "sdwan: vendor, tunnel (ipsec, gre), peer_addresses, vrf, credential. "
    "direct-connect: connection_id, region, encapsulation (vlan, gre, ipsec, vxlan). "
    "expressroute: circuit, peering_location, encapsulation. interconnect: attachments, encapsulation. "
    "colo: facility, cross_connect_a, cross_connect_b. "
    "remote-access: protocol, authentication, identity_provider, split_tunnel, banner. "
    "Secrets are never here: a credential names where one is kept."
)
PROTOCOL = "any, tcp, udp, icmp, icmpv6 or a number"
OPTIONAL: dict[str, Any] = {"allow_null": True, "required": False}
ADDRESSES = "prefixes, prefix lists or “any”"
TAGS = "billing tags"
PORT = "destination ports, like 443 or 8000-8100; empty: all"


def most(limit: Limit) -> dict[str, Any]:
    """Of a list, as the schema tells it."""
    return {"max_length": limit.most}


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
    prefixes=texts("what the segment is made of", required=False, **most(LITERAL_PREFIXES)),
    color=maybe("like #2f6fed"),
)
GROUP = item("Group")
PREFIX_LIST = item(
    "PrefixList",
    entries=several(
        shape(
            "PrefixEntry",
            prefix=text(),
            ge=number("shortest routes inside the prefix; counts in route policies only", **OPTIONAL),
            le=number("longest ones", **OPTIONAL),
        ),
        required=False,
        **most(ENTRIES),
    ),
)
BILLING_TAG = item("BillingTag", color=maybe("like #2f6fed"))
CONNECTOR = item(
    "Connector",
    kind=choice(tuple(CONNECTOR_KINDS)),
    exchange=text("an exchange"),
    size=text("a key of /catalog/sizes/", required=False),
    enabled=flag(required=False),
    failover_exchange=maybe("an exchange that takes over"),
    redundancy_group=maybe("connectors that may bring equal prefixes name the same one"),
    preference=number("higher is preferred", required=False),
    attachments=several(
        shape(
            "Attachment",
            segment=text("a segment"),
            group=maybe("a group"),
            prefixes=texts(required=False, **most(LITERAL_PREFIXES)),
        ),
        **most(ATTACHMENTS),
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
        **most(LIST_ITEMS),
    ),
    settings=mapping(SETTINGS, required=False),
    billing_tags=texts(TAGS, required=False, **most(REFERENCES)),
)
POLICY = item(
    "Policy",
    position=number("unique in the network; lower is tried first; last where left out of a POST", required=False),
    enabled=flag(required=False),
    apply_to=choice(("all", "new"), "new: flows that are there stay as they were decided", required=False),
    segments=texts("segments", **most(REFERENCES)),
    from_=texts("groups, connectors, internet apps, “any” or “internet”", **most(REFERENCES)),
    to=texts("groups, connectors, internet apps, “any” or “internet”", **most(REFERENCES)),
    rules=several(
        shape(
            "Rule",
            name=text(required=False),
            action=choice(ACTIONS),
            services=texts("services, in the order of their inspection", required=False, **most(REFERENCES)),
            protocol=anything(PROTOCOL, required=False),
            ports=texts(PORT, required=False, **most(PORTS)),
            source=texts(ADDRESSES, required=False, **most(PREFIXES)),
            destination=texts(ADDRESSES, required=False, **most(PREFIXES)),
        ),
        "the first that matches and is not watch decides; all rules together write down at most "
        f"{MATCH_VALUES.most:,} {MATCH_VALUES.noun}",
        required=False,
        **most(RULES),
    ),
)
SERVICE = item(
    "Service",
    product=text("a key of /catalog/products/"),
    segments=texts("segments", **most(REFERENCES)),
    license=choice(("byol", "payg"), required=False),
    on_failure=choice(("closed", "open"), "when no placement has a healthy instance", required=False),
    placements=several(
        shape(
            "Placement",
            exchange=text("an exchange"),
            min_instances=number(required=False),
            max_instances=number(required=False),
        ),
        **most(LIST_ITEMS),
    ),
    zones=several(
        shape("Zone", name=text(), segment=text("a segment"), groups=texts("groups", **most(REFERENCES))),
        required=False,
        **most(LIST_ITEMS),
    ),
    settings=mapping(
        f"linux-firewall: default (allow or deny) and rules, at most {RULES.most:,}, with what they write down bounded "
        "like a policy's",
        required=False,
    ),
    billing_tags=texts(TAGS, required=False, **most(REFERENCES)),
)


def _share_side(side: str) -> Any:
    return shape(
        f"ShareSide{side.upper()}",
        segment=text("a segment"),
        groups=texts("groups whose members are shared", required=False, **most(REFERENCES)),
        prefixes=texts("addresses of the segment that are shared", required=False, **most(LITERAL_PREFIXES)),
    )


SHARE = item(
    "Share",
    a=_share_side("a"),
    b=_share_side("b"),
    direction=choice(DIRECTIONS, "which side may initiate", required=False),
    services=texts("services, in the order of their inspection", required=False, **most(REFERENCES)),
    route_limit=number("prefixes that either side sees at most", required=False),
)
NAT_RULE = item(
    "NatRule",
    segment=text("a segment"),
    connector=text("a connector; NAT belongs to its edge"),
    position=number("unique for a connector in a segment; lower is tried first"),
    enabled=flag(required=False),
    direction=choice(("outbound", "inbound"), "outbound: flows begun behind the connector"),
    match=shape(
        "NatMatch",
        source=texts(ADDRESSES, required=False, **most(PREFIXES)),
        destination=texts(ADDRESSES, required=False, **most(PREFIXES)),
        protocol=anything(PROTOCOL, required=False),
        ports=texts(PORT, required=False, **most(PORTS)),
    ),
    source=shape(
        "SourceTranslation",
        type=choice(("none", "static", "pool"), "static: one to one, place by place", required=False),
        prefixes=texts(required=False, **most(LITERAL_PREFIXES)),
    ),
    destination=shape(
        "DestinationTranslation",
        type=choice(("none", "static"), required=False),
        prefixes=texts(required=False, **most(LITERAL_PREFIXES)),
        port=number("null: the port stays", **OPTIONAL),
    ),
)
ROUTE_POLICY = item(
    "RoutePolicy",
    segment=text("a segment"),
    direction=choice(("in", "out"), "in: what is accepted from the targets; out: what they are told"),
    targets=texts("groups or connectors", **most(REFERENCES)),
    enabled=flag(required=False),
    rules=several(
        shape(
            "RouteRule",
            match=shape(
                "RouteMatch",
                prefixes=texts("prefixes or prefix lists; empty: every route", required=False, **most(PREFIXES)),
                as_path=maybe(
                    "a regular expression as routers read it: digits, . [ ] ( ) | * + ? ^ $, and _ where a number ends"
                ),
                communities=texts("like 65000:100", required=False, **most(LIST_ITEMS)),
            ),
            action=choice(("allow", "deny")),
            set=shape(
                "RouteSet",
                prepend=number("times its own ASN is put in front", required=False),
                med=number(**OPTIONAL),
                local_preference=number(**OPTIONAL),
                communities=texts(required=False, **most(LIST_ITEMS)),
            ),
        ),
        "the first that matches decides; what none matches is allowed",
        required=False,
        **most(RULES),
    ),
)
INTERNET_APP = item(
    "InternetApp",
    connector=text("the internet exit it is reached through"),
    protocol=choice(("tcp", "udp"), required=False),
    port=number("the public port"),
    public_ip=maybe("null: the address of the exit's node"),
    target=shape(
        "AppTarget",
        connector=text("a connector"),
        addresses=texts("IPv4 addresses that serve the application", **most(LIST_ITEMS)),
        port=number("null: the public port", **OPTIONAL),
    ),
    source_nat=flag("clients appear as the exchange's node", required=False),
    billing_tags=texts(TAGS, required=False, **most(REFERENCES)),
)
ASSERTION = item(
    "Assertion",
    from_=text("a group, a connector, “any” or “internet”"),
    to=text("a group, a connector, “any” or “internet”"),
    segment=maybe("a segment; null: each"),
    protocol=anything(PROTOCOL, required=False),
    ports=texts(PORT, required=False, **most(PORTS)),
    expect=choice(EXPECTATIONS, "no flow, every flow, or every flow through a service"),
)

SHAPES: dict[str, Any] = {
    "exchanges": EXCHANGE,
    "segments": SEGMENT,
    "groups": GROUP,
    "prefix-lists": PREFIX_LIST,
    "billing-tags": BILLING_TAG,
    "connectors": CONNECTOR,
    "services": SERVICE,
    "policies": POLICY,
    "shares": SHARE,
    "nat-rules": NAT_RULE,
    "route-policies": ROUTE_POLICY,
    "internet-apps": INTERNET_APP,
    "assertions": ASSERTION,
}
