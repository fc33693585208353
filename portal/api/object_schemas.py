"""The shape of every kind of intent object, for the schema. What is accepted is decided by provisioning.core.intent;
a test holds the two together. References are ids; on input a unique name is accepted too.

Another kind is one shape and one line in ``SHAPES``.
"""

from __future__ import annotations

from typing import Any

from portal.api.schema_fields import (
    any_json,
    boolean,
    choice,
    list_of,
    mapping,
    nullable,
    number,
    object_schema,
    optional_text,
    text,
    text_list,
    uid,
)
from provisioning.core.intent.assertions import EXPECTATIONS
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.intent.limits import (
    ATTACHMENTS,
    ENTRIES,
    LIST_ITEMS,
    LITERAL_PREFIXES,
    MATCH_VALUES,
    PORTS,
    PREFIXES,
    REFERENCES,
    RULES,
    Limit,
)
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


def length_limit(limit: Limit) -> dict[str, Any]:
    """Of a list, as the schema tells it."""
    return {"max_length": limit.most}


def intent_object_schema(name: str, **fields: Any) -> Any:
    return object_schema(
        name,
        id=uid("stays the same through renames and revisions"),
        key=text("slug of its first name; part of every address", read_only=True),
        name=text(max_length=100),
        description=text(required=False, max_length=2000),
        **fields,
    )


EXCHANGE = intent_object_schema(
    "Exchange",
    location=text("a key of /catalog/exchanges/"),
    size=text("a key of /catalog/sizes/", required=False),
)
SEGMENT = intent_object_schema(
    "Segment",
    default_action=choice(("allow", "deny"), "allow: members reach each other unless a policy denies", required=False),
    prefixes=text_list("what the segment is made of", required=False, **length_limit(LITERAL_PREFIXES)),
    color=optional_text("like #2f6fed"),
)
GROUP = intent_object_schema("Group")
PREFIX_LIST = intent_object_schema(
    "PrefixList",
    entries=list_of(
        object_schema(
            "PrefixEntry",
            prefix=text(),
            ge=number("shortest routes inside the prefix; counts in route policies only", **OPTIONAL),
            le=number("longest ones", **OPTIONAL),
        ),
        required=False,
        **length_limit(ENTRIES),
    ),
)
BILLING_TAG = intent_object_schema("BillingTag", color=optional_text("like #2f6fed"))
CONNECTOR = intent_object_schema(
    "Connector",
    kind=choice(tuple(CONNECTOR_KINDS)),
    exchange=text("an exchange"),
    size=text("a key of /catalog/sizes/", required=False),
    enabled=boolean(required=False),
    failover_exchange=optional_text("an exchange that takes over"),
    redundancy_group=optional_text("connectors that may bring equal prefixes name the same one"),
    preference=number("higher is preferred", required=False),
    attachments=list_of(
        object_schema(
            "Attachment",
            segment=text("a segment"),
            group=optional_text("a group"),
            prefixes=text_list(required=False, **length_limit(LITERAL_PREFIXES)),
        ),
        **length_limit(ATTACHMENTS),
    ),
    circuits=list_of(
        object_schema(
            "Circuit",
            name=choice(("A", "B")),
            node=number("1 or 2", required=False),
            role=choice(("active", "standby"), required=False),
            local=optional_text("the exchange's end, like 169.254.1.1/30"),
            peer=optional_text("the far end"),
            vlan=number(allow_null=True, required=False),
            bgp=nullable(object_schema("Bgp", peer_asn=number(), bfd=boolean(required=False))),
        ),
        "filled in where left out",
        required=False,
        **length_limit(LIST_ITEMS),
    ),
    settings=mapping(SETTINGS, required=False),
    billing_tags=text_list(TAGS, required=False, **length_limit(REFERENCES)),
)
POLICY = intent_object_schema(
    "Policy",
    position=number("unique in the network; lower is tried first; last where left out of a POST", required=False),
    enabled=boolean(required=False),
    apply_to=choice(("all", "new"), "new: flows that are there stay as they were decided", required=False),
    segments=text_list("segments", **length_limit(REFERENCES)),
    from_=text_list("groups, connectors, internet apps, “any” or “internet”", **length_limit(REFERENCES)),
    to=text_list("groups, connectors, internet apps, “any” or “internet”", **length_limit(REFERENCES)),
    rules=list_of(
        object_schema(
            "Rule",
            name=text(required=False),
            action=choice(tuple(ACTIONS)),
            services=text_list(
                "services, in the order of their inspection", required=False, **length_limit(REFERENCES)
            ),
            protocol=any_json(PROTOCOL, required=False),
            ports=text_list(PORT, required=False, **length_limit(PORTS)),
            source=text_list(ADDRESSES, required=False, **length_limit(PREFIXES)),
            destination=text_list(ADDRESSES, required=False, **length_limit(PREFIXES)),
        ),
        "the first that matches and is not watch decides; all rules together write down at most "
        f"{MATCH_VALUES.most:,} {MATCH_VALUES.noun}",
        required=False,
        **length_limit(RULES),
    ),
)
SERVICE = intent_object_schema(
    "Service",
    product=text("a key of /catalog/products/"),
    segments=text_list("segments", **length_limit(REFERENCES)),
    license=choice(("byol", "payg"), required=False),
    on_failure=choice(("closed", "open"), "when no placement has a healthy instance", required=False),
    placements=list_of(
        object_schema(
            "Placement",
            exchange=text("an exchange"),
            min_instances=number(required=False),
            max_instances=number(required=False),
        ),
        **length_limit(LIST_ITEMS),
    ),
    zones=list_of(
        object_schema(
            "Zone", name=text(), segment=text("a segment"), groups=text_list("groups", **length_limit(REFERENCES))
        ),
        required=False,
        **length_limit(LIST_ITEMS),
    ),
    settings=mapping(
        f"linux-firewall: default (allow or deny) and rules, at most {RULES.most:,}, with what they write down bounded "
        "like a policy's",
        required=False,
    ),
    billing_tags=text_list(TAGS, required=False, **length_limit(REFERENCES)),
)


def _share_side_schema(side: str) -> Any:
    return object_schema(
        f"ShareSide{side.upper()}",
        segment=text("a segment"),
        groups=text_list("groups whose members are shared", required=False, **length_limit(REFERENCES)),
        prefixes=text_list(
            "addresses of the segment that are shared", required=False, **length_limit(LITERAL_PREFIXES)
        ),
    )


SHARE = intent_object_schema(
    "Share",
    a=_share_side_schema("a"),
    b=_share_side_schema("b"),
    direction=choice(tuple(DIRECTIONS), "which side may initiate", required=False),
    services=text_list("services, in the order of their inspection", required=False, **length_limit(REFERENCES)),
    route_limit=number("prefixes that either side sees at most", required=False),
)
NAT_RULE = intent_object_schema(
    "NatRule",
    segment=text("a segment"),
    connector=text("a connector; NAT belongs to its edge"),
    position=number("unique for a connector in a segment; lower is tried first"),
    enabled=boolean(required=False),
    direction=choice(("outbound", "inbound"), "outbound: flows begun behind the connector"),
    match=object_schema(
        "NatMatch",
        source=text_list(ADDRESSES, required=False, **length_limit(PREFIXES)),
        destination=text_list(ADDRESSES, required=False, **length_limit(PREFIXES)),
        protocol=any_json(PROTOCOL, required=False),
        ports=text_list(PORT, required=False, **length_limit(PORTS)),
    ),
    source=object_schema(
        "SourceTranslation",
        type=choice(("none", "static", "pool"), "static: one to one, place by place", required=False),
        prefixes=text_list(required=False, **length_limit(LITERAL_PREFIXES)),
    ),
    destination=object_schema(
        "DestinationTranslation",
        type=choice(("none", "static"), required=False),
        prefixes=text_list(required=False, **length_limit(LITERAL_PREFIXES)),
        port=number("null: the port stays", **OPTIONAL),
    ),
)
ROUTE_POLICY = intent_object_schema(
    "RoutePolicy",
    segment=text("a segment"),
    direction=choice(("in", "out"), "in: what is accepted from the targets; out: what they are told"),
    targets=text_list("groups or connectors", **length_limit(REFERENCES)),
    enabled=boolean(required=False),
    rules=list_of(
        object_schema(
            "RouteRule",
            match=object_schema(
                "RouteMatch",
                prefixes=text_list(
                    "prefixes or prefix lists; empty: every route", required=False, **length_limit(PREFIXES)
                ),
                as_path=optional_text(
                    "a regular expression as routers read it: digits, . [ ] ( ) | * + ? ^ $, and _ where a number ends"
                ),
                communities=text_list("like 65000:100", required=False, **length_limit(LIST_ITEMS)),
            ),
            action=choice(("allow", "deny")),
            set=object_schema(
                "RouteSet",
                prepend=number("times its own ASN is put in front", required=False),
                med=number(**OPTIONAL),
                local_preference=number(**OPTIONAL),
                communities=text_list(required=False, **length_limit(LIST_ITEMS)),
            ),
        ),
        "the first that matches decides; what none matches is allowed",
        required=False,
        **length_limit(RULES),
    ),
)
INTERNET_APP = intent_object_schema(
    "InternetApp",
    connector=text("the internet exit it is reached through"),
    protocol=choice(("tcp", "udp"), required=False),
    port=number("the public port"),
    public_ip=optional_text("null: the address of the exit's node"),
    target=object_schema(
        "AppTarget",
        connector=text("a connector"),
        addresses=text_list("IPv4 addresses that serve the application", **length_limit(LIST_ITEMS)),
        port=number("null: the public port", **OPTIONAL),
    ),
    source_nat=boolean("clients appear as the exchange's node", required=False),
    billing_tags=text_list(TAGS, required=False, **length_limit(REFERENCES)),
)
ASSERTION = intent_object_schema(
    "Assertion",
    from_=text("a group, a connector, “any” or “internet”"),
    to=text("a group, a connector, “any” or “internet”"),
    segment=optional_text("a segment; null: each"),
    protocol=any_json(PROTOCOL, required=False),
    ports=text_list(PORT, required=False, **length_limit(PORTS)),
    expect=choice(tuple(EXPECTATIONS), "no flow, every flow, or every flow through a service"),
)

OBJECT_SCHEMAS: dict[str, Any] = {
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
