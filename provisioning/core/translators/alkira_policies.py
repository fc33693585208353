"""Alkira's policies, internet applications and shares of segments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from provisioning.core.intent.fields import INTERNET
from provisioning.core.translators.alkira_names import AlkiraNames
from provisioning.core.translators.hcl import Block
from provisioning.core.translators.terraform import Terraform, address
from provisioning.core.translators.translation import BadAddress, description, quote, read_prefix
from provisioning.core.values.dscp import parse_dscp
from provisioning.core.values.protocols import PORT_PROTOCOLS

_EVERY = ("any", "-1", "")
_RULE_ARGUMENTS = (
    *("name", "description", "dscp", "protocol", "src_ip", "dst_ip", "src_ports", "dst_ports", "rule_action"),
    *("src_prefix_list_id", "dst_prefix_list_id", "internet_application_id", "application_ids"),
    *("rule_action_service_ids", "rule_action_service_types"),
)


def translate_policies(terraform: Terraform, names: AlkiraNames) -> None:
    for block in terraform.of_type("alkira_policy"):
        terraform.note_others(
            block, ("name", "description", "enabled", "from_groups", "to_groups", "rule_list_id", "segment_ids")
        )
        segments = names.named("segments", block, "segment_ids")
        from_, to = names.endpoints(block, "from_groups"), names.endpoints(block, "to_groups")
        rule_list = terraform.resource(next(iter(terraform.values(block, "rule_list_id")), None))
        if not segments or not from_ or not to or rule_list is None:
            why = "Its segments, groups or rule list are not among the files."
            remedy = "Import the files that have them, or draw the policy."
            terraform.builder.note("left_out", block.place, address(block), why, remedy)
            continue
        apps = [*_rules(terraform, names, rule_list)]
        rules = [rule for app, rule in apps if app is None]
        common: dict[str, Any] = {"description": terraform.description(block), "segments": segments, "from": from_}
        common["enabled"] = terraform.flag(block, "enabled")
        name = terraform.text(block, "name", block.labels[-1])
        if rules:
            terraform.builder.add_policies(name, rules, **common, to=to)
        for app, rule in apps:
            if app is not None:
                # A policy names the application as its destination; a rule does not.
                terraform.builder.add_policies(f"{name} {app}", [rule], **common, to=[app])


def _rules(terraform: Terraform, names: AlkiraNames, rule_list: Block) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Yield the internet application that a rule is about, and the rule, in the order they are tried."""
    terraform.note_others(rule_list, ("name", "description", "rules"))
    entries = [(terraform.text(entry, "priority", "0"), entry) for entry in rule_list.nested("rules")]
    for _, entry in sorted(entries, key=lambda pair: int(pair[0]) if pair[0].isdecimal() else 0):
        block = terraform.resource(next(iter(terraform.values(entry, "rule_id")), None))
        if block is None:
            names.note_unknown(rule_list, "rule_id", next(iter(terraform.values(entry, "rule_id")), None))
            continue
        terraform.note_others(block, _RULE_ARGUMENTS)
        app = next(iter(names.named("internet-apps", block, "internet_application_id")), None)
        if app is None and "internet_application_id" in block.attributes:
            continue
        rule = _rule(terraform, names, block)
        if rule is not None:
            yield app, rule


def _rule(terraform: Terraform, names: AlkiraNames, block: Block) -> dict[str, Any] | None:
    reason = _unsayable(terraform, block)
    protocol = terraform.text(block, "protocol", "any").lower()
    ports, source_ports = (_ports(terraform, block, field) for field in ("dst_ports", "src_ports"))
    dscp = terraform.text(block, "dscp", "any")
    try:
        sides = {
            field: _side(terraform, names, block, short) for field, short in (("source", "src"), ("destination", "dst"))
        }
    except BadAddress as error:
        reason = str(error)
    if reason:
        remedy = "Look what the rules around it do without it, and draw what is missing."
        terraform.builder.note("left_out", block.place, address(block), reason, remedy)
        return None
    is_inspected = any(block.attributes.get(f"rule_action_service_{which}") for which in ("ids", "types"))
    if is_inspected:
        why = "Services are not translated; without them the rule would allow more, so it is disabled."
        remedy = "Draw the firewall as a service, let the rule inspect, and enforce it."
        terraform.builder.note("needed", block.place, address(block), why, remedy)
    denies = terraform.text(block, "rule_action", "ALLOW").upper() == "DROP"
    return {
        "name": terraform.text(block, "name", block.labels[-1]),
        "description": description(terraform.text(block, "description"), 500),
        "mode": "disabled" if is_inspected else "enforce",
        **({"action": "deny", "reject": False} if denies else {"action": "allow"}),
        "protocol": protocol,
        **({"ports": ports} if ports else {}),
        **({"source_ports": source_ports} if source_ports else {}),
        **({} if dscp in _EVERY else {"dscp": parse_dscp(dscp)}),
        **sides,
    }


def _ports(terraform: Terraform, block: Block, field: str) -> list[str]:
    return [port for port in terraform.texts(block, field) if port not in _EVERY]


def _unsayable(terraform: Terraform, block: Block) -> str:
    """Return why a rule cannot be said; nothing where it can. A wider rule would not be the same."""
    dscp = terraform.text(block, "dscp", "any")
    if dscp not in _EVERY and parse_dscp(dscp) is None:
        return f"“{quote(dscp)}” is not a DSCP value."
    if _ports(terraform, block, "src_ports") and terraform.text(block, "protocol", "any").lower() not in PORT_PROTOCOLS:
        return "It matches source ports without the protocol tcp or udp."
    if terraform.values(block, "application_ids"):
        return "It matches applications, not addresses and ports."
    return ""


def _side(terraform: Terraform, names: AlkiraNames, block: Block, short: str) -> list[str]:
    """Return the addresses of one side. Raise BadAddress."""
    if f"{short}_prefix_list_id" in block.attributes:
        named = names.named("prefix-lists", block, f"{short}_prefix_list_id")
        if not named:
            raise BadAddress("unknown", "It matches a prefix list that is not among the files.")
        return named
    text = terraform.text(block, f"{short}_ip")
    return ["any"] if text.lower() in _EVERY else [read_prefix(text)]


def translate_internet_apps(terraform: Terraform, names: AlkiraNames) -> None:
    for block in terraform.of_type("alkira_internet_application"):
        known = ("name", "description", "connector_id", "connector_type", "segment_id", "size", "target")
        terraform.note_others(block, (*known, "billing_tag_ids", "fqdn_prefix", "internet_protocol"))
        connector = next(iter(names.named("connectors", block, "connector_id")), None)
        segments = names.named("segments", block, "segment_id")
        exit_name = _exit_of(names, segments)
        targets = block.nested("target")
        if connector is None or exit_name is None or len(targets) != 1:
            why = "It needs one target, its connector, and an internet exit of its segment."
            terraform.builder.note("left_out", block.place, address(block), why, "Draw it in the draft.")
            continue
        value = terraform.text(targets[0], "value")
        ports = terraform.texts(targets[0], "port_ranges")
        if terraform.text(targets[0], "type") != "IP" or len(ports) != 1 or not re.fullmatch(r"\d{1,5}", ports[0]):
            why = "An application is one port at addresses; this one has a load balancer's name or other ports."
            terraform.builder.note("left_out", block.place, address(block), why, "Draw one for each port.")
            continue
        names.add(
            "internet-apps",
            block,
            description=terraform.description(block),
            connector=exit_name,
            protocol="tcp",
            port=int(ports[0]),
            target={"connector": connector, "addresses": [value], "port": int(ports[0])},
            billing_tags=names.named("billing-tags", block, "billing_tag_ids"),
        )
        why = "The source names no protocol; it is TCP. The public name is not made."
        remedy = "Check the protocol, and point the name at the application's address."
        terraform.builder.note("assumed", block.place, address(block), why, remedy)


def _exit_of(names: AlkiraNames, segments: list[str]) -> str | None:
    """Return an internet exit of these segments."""
    for connector in names.builder.document.get("connectors", ()):
        attached = {attachment["segment"] for attachment in connector["attachments"]}
        if connector["kind"] == "internet-exit" and attached & set(segments):
            return str(connector["name"])
    return None


def translate_shares(terraform: Terraform, names: AlkiraNames) -> None:
    for block in terraform.of_type("alkira_segment_resource_share"):
        known = ("name", "description", "designated_segment_id", "end_a_route_limit", "end_b_route_limit")
        ends = ("end_a_segment_resource_ids", "end_b_segment_resource_ids")
        terraform.note_others(block, (*known, *ends, "traffic_direction", "traffic_from_end", "service_ids"))
        sides = [_share_side(terraform, names, block, end) for end in ends]
        if None in sides:
            why = "A side shares nothing that is among the files."
            terraform.builder.note("left_out", block.place, address(block), why, "Draw the share in the draft.")
            continue
        if names.terraform.values(block, "service_ids") not in ([], [-1]):
            why, remedy = "Services are not translated.", "Draw the firewall as a service and name it in the share."
            terraform.builder.note("left_out", block.place, f"{address(block)}: service_ids", why, remedy)
        one_way = terraform.text(block, "traffic_direction", "BIDIRECTIONAL") == "UNIDIRECTIONAL"
        from_b = terraform.text(block, "traffic_from_end", "A").upper().endswith("B")
        limits = [terraform.text(block, f"end_{end}_route_limit", "100") for end in "ab"]
        names.add(
            "shares",
            block,
            description=terraform.description(block),
            a=sides[0],
            b=sides[1],
            direction=("b-to-a" if from_b else "a-to-b") if one_way else "both",
            route_limit=max(int(text) if text.isdecimal() else 100 for text in limits),
        )


def _share_side(terraform: Terraform, names: AlkiraNames, block: Block, argument: str) -> dict[str, Any] | None:
    """Return what the segment resources of one end share; None where nothing is known of it."""
    side: dict[str, Any] = {"groups": [], "prefixes": []}
    for value in terraform.values(block, argument):
        resource = terraform.resource(value)
        if resource is None:
            names.note_unknown(block, argument, value)
            continue
        segments = names.named("segments", resource, "segment_id")
        if segments:
            side["segment"] = segments[0]
        for entry in resource.nested("group_prefix"):
            groups = [group for group in names.endpoints(entry, "group_id") if group != INTERNET]
            lists = [value for value in terraform.values(entry, "prefix_list_id") if str(value) != "-1"]
            if "any" in groups and not lists:
                side["prefixes"] += ["0.0.0.0/0", "::/0"]
            elif lists:
                for body in filter(
                    None, (names.builder.body("prefix-lists", names.find("prefix-lists", v) or "") for v in lists)
                ):
                    side["prefixes"] += [part["prefix"] for part in body["entries"]]
                if "any" not in groups and groups:
                    why = "A share takes groups or prefixes; of the two the prefixes are taken, which is less."
                    remedy = "Check the share in the draft."
                    terraform.builder.note("assumed", resource.place, address(resource), why, remedy)
            else:
                side["groups"] += groups
    return side if "segment" in side and (side["groups"] or side["prefixes"]) else None
