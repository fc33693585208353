"""Alkira's Terraform resources as a network, and what of them cannot be said."""

from __future__ import annotations

import pytest

from provisioning.core.translators.translation import BadSource
from tests.core.trace_queries import trace_disposition
from tests.core.translators.translating import draw, errors, notes, translate

ALKIRA = "alkira-terraform"


def test_a_configuration_becomes_a_network_without_errors() -> None:
    translation = translate(ALKIRA, "alkira.tf")
    net = draw(translation)
    assert errors(net) == []
    document = translation.document
    assert [segment["name"] for segment in document["segments"]] == ["corp", "dmz"]
    vpc, branch, learned, _ = document["connectors"]
    assert vpc["settings"] == {"account": "123456789012", "region": "us-east-1", "vpc_id": "vpc-prod"}
    # What another resource of the files says of itself, and a variable's default.
    assert vpc["attachments"] == [{"segment": "corp", "groups": ["prod"], "prefixes": ["10.1.0.0/16"]}]
    assert document["exchanges"][0] == {"name": "us-east-1", "location": "aws-us-east-1"}
    assert branch["attachments"][0]["groups"] == ["branches"] and branch["settings"]["peer_addresses"] == [
        "203.0.113.1"
    ]
    assert not learned["enabled"] and learned["attachments"][0]["prefixes"] == ["192.0.2.1/32"]


def test_policies_decide_as_their_rule_lists_do() -> None:
    net = draw(translate(ALKIRA, "alkira.tf"))
    # The list is in order of priority: web is tried before drop.
    assert trace_disposition(net, "10.1.1.5", "10.20.0.1", "tcp", 443) == "delivered"
    assert trace_disposition(net, "10.1.1.5", "10.20.0.1", "tcp", 22) == "denied_by_rule"
    # No policy is about traffic from the branch; members of a segment reach each other.
    assert trace_disposition(net, "10.20.0.1", "10.1.1.5", "tcp", 22) == "delivered"


def test_what_cannot_be_said_is_told_with_its_line() -> None:
    translation = translate(ALKIRA, "alkira.tf")
    left_out, needed = notes(translation, "left_out"), notes(translation, "needed")
    assert left_out["alkira_policy_rule.app"] == "It matches applications, not addresses and ports."
    assert left_out["alkira_service_pan.fw"] == "This kind of resource is not translated."
    assert "alkira_connector_aws_vpc.prod: tgw_connect_enabled" in left_out
    assert "alkira_connector_ipsec.dyn" in needed and "alkira_connector_ipsec.branch: its keys" in needed
    [app] = [note for note in translation.notes if note.says == "alkira_policy_rule.app"]
    assert app.place.startswith("alkira.tf:") and app.remedy


def test_groups_of_users_are_attachments_of_remote_access() -> None:
    users = "".join(f'resource "alkira_group_user" "{name}" {{ name = "{name}" }}\n' for name in ("staff", "guests"))
    block = (
        '  authorization {\n    user_group_name = %s\n    segment_id = alkira_segment.corp.id\n    subnet = "%s"\n  }\n'
    )
    allowed = "".join(
        block % (group, net)
        for group, net in (
            ("alkira_group_user.staff.name", "10.9.1.0/24"),
            ("alkira_group_user.guests.name", "10.9.2.0/24"),
            ("alkira_group_user.staff.name", "10.9.3.0/24"),
            ("alkira_group_user.staff.name", "10.9.x"),
        )
    )
    segment = 'resource "alkira_segment" "corp" {\n  name = "corp"\n  cidrs = ["10.0.0.0/8"]\n}\n'
    remote = f'resource "alkira_connector_remote_access" "r" {{\n  name = "r"\n  cxp = "US"\n{allowed}}}\n'
    translation = translate(ALKIRA, segment + users + remote)
    assert translation.document["connectors"][0]["attachments"] == [
        {"segment": "corp", "groups": ["staff"], "prefixes": ["10.9.1.0/24", "10.9.3.0/24"]},
        {"segment": "corp", "groups": ["guests"], "prefixes": ["10.9.2.0/24"]},
    ]
    assert [*notes(translation, "left_out")] == ["authorization: 10.9.x"]
    assert errors(draw(translation)) == []


def test_keys_and_passwords_are_quoted_nowhere() -> None:
    translation = translate(ALKIRA, "alkira.tf")
    assert "s3cret" not in f"{translation.document}{translation.notes}"


def test_references_work_across_files_and_a_missing_one_is_told() -> None:
    segment = 'resource "alkira_segment" "corp" {\n  name = "corp"\n  cidrs = ["10.0.0.0/8"]\n}\n'
    exit_ = 'resource "alkira_connector_internet_exit" "x" {\n  name = "x"\n  cxp = "US"\n  segment_id = %s\n}\n'
    both = translate(ALKIRA, exit_ % "alkira_segment.corp.id", segment)
    assert both.document["connectors"][0]["attachments"][0]["segment"] == "corp"
    alone = translate(ALKIRA, exit_ % "alkira_segment.corp.id")
    assert "connectors" not in alone.document
    assert "alkira_connector_internet_exit.x" in notes(alone, "left_out")


POLICY_OF_ONE_RULE = """
resource "alkira_segment" "s" {
  name = "s"
}
resource "alkira_policy_rule" "r" {
  name = "r"
  rule_action = "ALLOW"
  ARGUMENTS
}
resource "alkira_policy_rule_list" "l" {
  name = "l"
  rules {
    priority = 1
    rule_id = alkira_policy_rule.r.id
  }
}
resource "alkira_policy" "p" {
  name = "p"
  enabled = true
  from_groups = [-1]
  to_groups = [-1]
  segment_ids = [alkira_segment.s.id]
  rule_list_id = alkira_policy_rule_list.l.id
}
"""


def policy_with_rule(arguments: str) -> str:
    return POLICY_OF_ONE_RULE.replace("ARGUMENTS", arguments)


def test_a_rule_that_inspects_is_drawn_disabled_since_it_would_allow_more() -> None:
    inspecting = 'protocol = "any"\n  dscp = "any"\n  rule_action_service_types = ["FIREWALL"]'
    translation = translate(ALKIRA, policy_with_rule(inspecting))
    [policy] = translation.document["policies"]
    assert policy["rules"][0]["mode"] == "disabled" and policy["to"] == ["any", "internet"]
    assert "alkira_policy_rule.r" in notes(translation, "needed")


def test_a_rule_keeps_its_source_ports_and_dscp_and_is_left_out_where_no_protocol_has_them() -> None:
    marked = 'protocol = "udp"\n  dscp = "46"\n  src_ports = ["5060", "16384-32767"]\n  dst_ports = ["any"]'
    [policy] = translate(ALKIRA, policy_with_rule(marked)).document["policies"]
    rule = policy["rules"][0]
    assert (rule["dscp"], rule["source_ports"]) == (46, ["5060", "16384-32767"]) and "ports" not in rule
    for wrong in ('protocol = "any"\n  src_ports = ["53"]', 'protocol = "tcp"\n  dscp = "99"'):
        assert "alkira_policy_rule.r" in notes(translate(ALKIRA, policy_with_rule(wrong)), "left_out")


@pytest.mark.parametrize(
    "text",
    [
        'resource "a" {{{\n',
        "a {\n b = " + "[" * 70 + "\n}",
        'a {\n b = "${\n}',
        "\x00\n",
        b"a {\n b = \xff\n}",
    ],
    ids=["no-hcl", "brackets", "template", "nul", "latin-1"],
)
def test_hostile_text_is_refused_with_its_place(text: str | bytes) -> None:
    with pytest.raises(BadSource) as refused:
        translate(ALKIRA, text)
    assert refused.value.place.startswith("file-1") and refused.value.message


def test_a_size_that_is_not_offered_becomes_the_nearest() -> None:
    segment = 'resource "alkira_segment" "corp" {\n  name = "corp"\n}\n'
    arguments = 'segment_id = alkira_segment.corp.id\n  size = "5XSMALL"\n'
    exit_ = f'resource "alkira_connector_internet_exit" "x" {{\n  {arguments}}}\n'
    translation = translate(ALKIRA, segment + exit_)
    assert translation.document["connectors"][0]["size"] == "xsmall"
    assert "alkira_connector_internet_exit.x: size = 5xsmall" in notes(translation, "assumed")


def test_names_that_stand_for_gigabytes_end() -> None:
    """A billion laughs: each local is the one before it, four times."""
    four = [f'  a{n} = "{f"${{local.a{n - 1}}}" * 4}"' for n in range(1, 60)]
    lists = [f"  b{n} = [{', '.join([f'local.b{n - 1}'] * 4)}]" for n in range(1, 60)]
    made = ["locals {", '  a0 = "xxxxxxxxxx"', '  b0 = ["x"]', *four, *lists, "}"]
    segment = ['resource "alkira_segment" "s" {', "  name = local.a59", "  cidrs = local.b59", "}", ""]
    translation = translate("alkira-terraform", "\n".join([*made, *segment]))
    assert "local" not in str(translation.document) and len(str(translation.document)) < 10_000


def test_names_that_are_made_of_themselves_end() -> None:
    text = 'locals {\n  a = local.b\n  b = local.a\n}\nresource "alkira_group" "g" {\n  name = local.a\n}\n'
    assert translate(ALKIRA, text).document["groups"] == [{"name": "g", "description": ""}]


def test_a_long_text_is_filled_in_only_so_often() -> None:
    named = ", ".join(["local.long"] * 5_000)
    segment = f'resource "alkira_segment" "s" {{\n  name = "s"\n  cidrs = [{named}]\n}}\n'
    translation = translate(ALKIRA, f'locals {{\n  long = "{"x" * 40_000}"\n}}\n{segment}')
    assert "alkira_segment.s: cidrs = names that stand for too much" in notes(translation, "left_out")
