"""Pairs of networks, before and after a change, that plans are made of."""

from __future__ import annotations

from tests.core.sample_networks import IntentBuilder, hospital_network, partner_network, policy, site


def first_day() -> tuple[IntentBuilder, IntentBuilder]:
    return IntentBuilder(), hospital_network()


def policies_and_sites() -> tuple[IntentBuilder, IntentBuilder]:
    after = hospital_network()
    after.remove("connectors", "hospital-a")
    after.edit("connectors", "hospital-b", size="large")
    after.add("connectors", site("clinic", "us", "sites", "10.6.0.0/16"))
    after.edit("policies", "web-out", rules=[{"name": "web", "action": "allow", "protocol": "tcp", "ports": [80, 443]}])
    after.edit("services", "fw", placements=[{"exchange": "us", "min_instances": 0}])
    return hospital_network(), after


def last_day() -> tuple[IntentBuilder, IntentBuilder]:
    return hospital_network(), IntentBuilder()


def rule_added() -> tuple[IntentBuilder, IntentBuilder]:
    """Add a rule before the others, narrowed by a prefix list; the deny moves behind it."""
    after = hospital_network()
    after.add("prefix-lists", {"name": "labs", "entries": [{"prefix": "10.3.8.0/22"}, {"prefix": "10.4.8.0/22"}]})
    web, ssh = after.rows[after.uid_of("policies", "sites-to-prod")][4]["rules"]
    hl7 = {"name": "hl7", "action": "allow", "protocol": "tcp", "ports": ["2575"], "source": ["labs"]}
    after.edit("policies", "sites-to-prod", rules=[hl7, ssh, web])
    return hospital_network(), after


def connector_removed() -> tuple[IntentBuilder, IntentBuilder]:
    after = hospital_network()
    after.remove("connectors", "vpc-dev")
    return hospital_network(), after


def resized() -> tuple[IntentBuilder, IntentBuilder]:
    after = hospital_network()
    after.edit("exchanges", "eu", size="large")
    after.edit("connectors", "vpc-prod", size="medium")
    return hospital_network(), after


def share_added() -> tuple[IntentBuilder, IntentBuilder]:
    after = partner_network()
    after.add(
        "shares",
        {
            "name": "billing",
            "a": {"segment": "corp", "groups": ["prod"]},
            "b": {"segment": "guest", "prefixes": ["172.20.4.0/24"]},
            "direction": "b-to-a",
            "services": ["fw"],
        },
    )
    return partner_network(), after


def share_removed() -> tuple[IntentBuilder, IntentBuilder]:
    before, after = share_added()
    return after, before


def nat_changed() -> tuple[IntentBuilder, IntentBuilder]:
    """Present a hospital with other addresses, and translate a presented address to its printer."""
    shown = {"type": "static", "prefixes": ["100.64.3.0/24"]}
    out = {"segment": "corp", "connector": "hospital-a", "direction": "outbound", "match": {"source": ["10.3.0.0/24"]}}
    before = hospital_network()
    before.add("nat-rules", {"name": "hide", "position": 10, **out, "source": shown})
    after = before.copy()
    after.edit("nat-rules", "hide", source={"type": "static", "prefixes": ["100.64.9.0/24"]})
    printer = {"type": "static", "prefixes": ["10.3.0.7/32"]}
    into = {"segment": "corp", "connector": "hospital-a", "direction": "inbound", "destination": printer}
    match = {"destination": ["100.64.9.7/32"], "protocol": "tcp", "ports": ["9100"]}
    after.add("nat-rules", {"name": "printer", "position": 20, **into, "match": match})
    return before, after


def exchange_replaced() -> tuple[IntentBuilder, IntentBuilder]:
    """Move connectors from the exchange in Ashburn to a new one in Dublin, and remove the old one."""
    after = hospital_network()
    after.add("exchanges", {"name": "ie", "location": "aws-eu-west-1"})
    for name in ("hospital-b", "lobby"):
        after.edit("connectors", name, exchange="ie")
    after.remove("exchanges", "us")
    return hospital_network(), after


def failover_added() -> tuple[IntentBuilder, IntentBuilder]:
    after = hospital_network()
    after.edit("connectors", "hospital-a", failover_exchange="us")
    return hospital_network(), after


def ipv6() -> tuple[IntentBuilder, IntentBuilder]:
    after = hospital_network()
    (attachment,) = after.rows[after.uid_of("connectors", "hospital-a")][4]["attachments"]
    prefixes = ["10.3.0.0/16", "fd00:3::/48"]
    after.edit("connectors", "hospital-a", attachments=[{**attachment, "prefixes": prefixes}])
    rule = {"name": "v6", "action": "allow", "protocol": "icmpv6", "source": ["fd00:3::/48"]}
    after.add("policies", policy("ping", 40, "any", "any", rule))
    return hospital_network(), after


def application_published() -> tuple[IntentBuilder, IntentBuilder]:
    after = hospital_network()
    target = {"connector": "vpc-prod", "addresses": ["10.1.0.10", "10.1.0.11"], "port": 8443}
    after.add("internet-apps", {"name": "portal", "connector": "exit-eu", "port": 443, "target": target})
    https = {"name": "https", "action": "inspect", "services": ["fw"], "protocol": "tcp", "ports": ["443"]}
    after.add("policies", policy("patients", 5, "internet", "portal", https))
    return hospital_network(), after


def routes_filtered() -> tuple[IntentBuilder, IntentBuilder]:
    after = hospital_network()
    filtered = {"match": {"prefixes": ["10.2.0.0/16"]}, "action": "deny"}
    tuned = {"match": {"prefixes": ["10.1.0.0/16"]}, "action": "allow", "set": {"prepend": 2}}
    base = {"name": "no-dev", "segment": "corp", "direction": "out", "targets": ["sites"]}
    after.add("route-policies", {**base, "rules": [filtered, tuned]})
    return hospital_network(), after
