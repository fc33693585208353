"""A firewall's rulebase as CSV, its columns guessed or chosen, with tables of its objects."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.translators.columns import IGNORED
from provisioning.core.translators.translation import BadSource, TranslatedFiles
from tests.core.sample_networks import IntentBuilder
from tests.core.trace_queries import trace_disposition
from tests.core.translators.translating import draw, errors, notes, translate

FIREWALL = "firewall-csv"


def site(name: str, group: str, *prefixes: str) -> dict[str, Any]:
    attachments = [{"segment": "firewall", "groups": [group], "prefixes": list(prefixes)}]
    return {"name": name, "kind": "lab-site", "exchange": "eu", "attachments": attachments}


def draw_with_sites(translation: TranslatedFiles) -> IntentBuilder:
    exit_ = {"name": "exit", "kind": "internet-exit", "exchange": "eu", "attachments": [{"segment": "firewall"}]}
    return draw(
        translation,
        exchanges=[{"name": "eu", "location": "aws-eu-central-1"}],
        connectors=[site("inside", "trust", "10.1.0.0/16"), site("servers", "dmz", "10.2.0.0/16"), exit_],
    )


@pytest.fixture(scope="module")
def firewall() -> IntentBuilder:
    return draw_with_sites(translate(FIREWALL, "rulebase.csv", "addresses.csv"))


@pytest.mark.parametrize(
    ("start", "end", "protocol", "port", "disposition"),
    [
        ("10.1.0.1", "10.2.0.1", "tcp", 443, "delivered"),
        ("10.1.0.1", "10.2.0.2", "tcp", 8085, "delivered"),
        ("10.1.0.1", "10.2.0.3", "tcp", 443, "denied_by_rule"),
        ("10.1.0.1", "10.2.0.53", "udp", 53, "delivered"),
        ("10.1.0.1", "10.2.0.53", "tcp", 53, "delivered"),
        # The rule on telnet has the lowest number, and stands second in the file.
        ("10.1.0.1", "10.2.0.1", "tcp", 23, "denied_by_rule"),
        # A disabled rule allows nothing.
        ("10.1.0.15", "10.2.0.1", "tcp", 22, "denied_by_rule"),
        ("10.1.0.1", "8.8.8.8", "tcp", 443, "delivered"),
        ("10.1.0.1", "8.8.8.8", "tcp", 22, "denied_by_rule"),
        ("10.2.0.1", "10.1.0.1", "tcp", 443, "denied_by_rule"),
    ],
)
def test_flows_are_decided_as_the_firewall_decides_them(
    firewall: IntentBuilder, start: str, end: str, protocol: str, port: int, disposition: str
) -> None:
    assert trace_disposition(firewall, start, end, protocol, port) == disposition


def test_rules_keep_their_words_and_run_in_their_order(firewall: IntentBuilder) -> None:
    assert errors(firewall) == []
    document = translate(FIREWALL, "rulebase.csv", "addresses.csv").document
    assert [policy["name"] for policy in document["policies"]] == [
        "any to any + internet",
        "trust to dmz",
        "trust to internet",
        "any to any + internet-2",
    ]
    telnet, (web, *_), _, cleanup = (policy["rules"] for policy in document["policies"])
    assert telnet[0]["reject"] is True and cleanup[0]["reject"] is False
    assert (web["description"], web["ports"], web["destination"]) == ("CHG-1234", ["443", "8080-8090"], ["web servers"])
    backup = next(rule for rule in document["policies"][1]["rules"] if rule["name"] == "backup")
    assert backup["mode"] == "disabled" and backup["source"] == ["10.1.0.10-10.1.0.20"]
    assert backup["destination"] == ["10.2.0.0/24"]


def test_address_objects_become_prefix_lists_and_hold_each_other() -> None:
    lists = translate(FIREWALL, "rulebase.csv", "addresses.csv").document["prefix-lists"]
    entries = {each["name"]: [entry["prefix"] for entry in each["entries"]] for each in lists}
    assert entries == {
        "web servers": ["10.2.0.1/32", "10.2.0.2/32"],
        "all servers": ["10.2.0.1/32", "10.2.0.2/32", "10.2.0.9/32"],
    }


def test_what_cannot_be_said_is_told_by_row() -> None:
    translation = translate(FIREWALL, "rulebase.csv", "addresses.csv")
    left_out = {note.says: note for note in translation.notes if note.kind == "left_out"}
    assert left_out["night"].why == "It holds at some times only."
    assert left_out["night"].place == "rulebase.csv row 7" and "may be allowed" in left_out["night"].remedy
    assert "printers" in left_out["by name"].why
    assert "internet application" in left_out["in"].why
    assert "addresses.csv row 5" in {note.place for note in translation.notes}
    assert {"zone trust", "zone dmz"} <= notes(translation, "needed").keys()


def test_a_prefix_list_of_the_draft_stands_for_an_unknown_name() -> None:
    translation = translate(FIREWALL, "rulebase.csv", "addresses.csv", prefix_lists=frozenset({"Printers"}))
    rules = [rule for policy in translation.document["policies"] for rule in policy["rules"]]
    assert next(rule for rule in rules if rule["name"] == "by name")["destination"] == ["Printers"]


def test_a_zone_is_the_group_of_the_draft_with_its_name() -> None:
    rule = "name,from zone,to zone,source,destination,action\nweb,Web,db,any,any,allow\n"
    translation = translate("firewall-csv", rule, segment="corp", groups=frozenset({"web"}))
    assert [group["name"] for group in translation.document["groups"]] == ["db"]
    assert [(policy["from"], policy["to"]) for policy in translation.document["policies"]] == [(["web"], ["db"])]
    assert list(notes(translation, "needed")) == ["zone db"]


def test_columns_are_guessed_and_told_and_a_choice_goes_first() -> None:
    translation = translate(FIREWALL, "rulebase.csv", "addresses.csv")
    assert translation.columns["source"] == "source address" and translation.columns["action"] == "action"
    assert list(translation.header)[:2] == ["no.", "rule name"]
    table = "who,whom,do,description\n10.1.0.1,10.2.0.1,allow,text\n"
    unknown = translate(FIREWALL, table)
    assert not unknown.document and "action, source, destination" in unknown.notes[0].why
    chosen = translate(
        FIREWALL, table, columns={"source": "Who", "destination": "whom", "action": "do", "comment": IGNORED}
    )
    [policy] = chosen.document["policies"]
    assert policy["rules"][0]["source"] == ["10.1.0.1/32"] and policy["rules"][0]["description"] == ""


@pytest.mark.parametrize(
    ("service", "protocol", "ports", "expected"),
    [
        ("", "tcp", "443", ("tcp", ["443"])),
        ("", "tcp/udp", "53,5353", (["tcp", "udp"], ["53", "5353"])),
        ("", "icmp", "", ("icmp", None)),
        ("", "47", "any", (47, None)),
        ("tcp/80,81", "", "", ("tcp", ["80", "81"])),
        ("443/tcp; udp-500", "", "", (None, ["rule 2 ports"])),
        ("HTTPS, service-dns", "", "", (None, ["https", "dns"])),
        ("https, tcp/8443", "", "", ("tcp", ["443", "8443"])),
        ("ESP, unheard-of", "", "", None),
        ("esp", "", "", (50, None)),
        ("any", "", "", ("any", None)),
        ("443", "", "", None),
        ("tcp/443, tcp", "", "", ("tcp", None)),
        ("tcp/70000", "", "", None),
    ],
)
def test_services_are_read_in_the_forms_that_firewalls_write(
    service: str, protocol: str, ports: str, expected: tuple[Any, Any] | None
) -> None:
    table = f'source,destination,service,protocol,port,action\nany,any,"{service}",{protocol},"{ports}",allow\n'
    policies = translate(FIREWALL, table).document.get("policies", [])
    found = [(rule.get("protocol"), rule.get("ports")) for policy in policies for rule in policy["rules"]]
    assert found == ([expected] if expected else [])


def test_a_table_of_services_is_read_beside_the_rulebase() -> None:
    rules = "source,destination,service,action\nany,any,ERP,allow\nany,any,https,allow\n"
    translation = translate(FIREWALL, rules, "name,protocol,port\nerp,tcp,3200-3299\nerp,udp,3200\nhttps,tcp,8443\n")
    [erp, https] = [rule for policy in translation.document["policies"] for rule in policy["rules"]]
    assert erp["ports"] == ["erp"] and (https["protocol"], https["ports"]) == ("tcp", ["8443"])
    [port_list] = translation.document["port-lists"]
    assert port_list["entries"] == [{"protocol": "tcp", "ports": ["3200-3299"]}, {"protocol": "udp", "ports": ["3200"]}]


def test_a_well_known_service_that_no_table_has_is_assumed() -> None:
    translation = translate(FIREWALL, "rulebase.csv", "addresses.csv")
    assert "tcp 443" in notes(translation, "assumed")["service https"]


def test_negated_addresses_are_every_address_but_these() -> None:
    table = "source,destination,service,action\n!10.1.0.0/24,!secret,any,allow\n"
    document = translate(FIREWALL, table, "name,address\nsecret,10.2.0.9\n").document
    [rule] = document["policies"][0]["rules"]
    assert (rule["source"], rule["destination"]) == (["!10.1.0.0/24"], ["!secret"])


def test_what_is_left_out_of_any_stays_left_out() -> None:
    translation = translate(FIREWALL, 'source,destination,action\n"any, !10.0.0.0/8",any,allow\n')
    [rule] = translation.document["policies"][0]["rules"]
    assert rule["source"] == ["!10.0.0.0/8"]


def test_more_rules_than_a_policy_holds_become_several() -> None:
    rows = "".join(f"r{number},10.0.0.{number % 256},any,tcp/{number},allow\n" for number in range(1, 2_002))
    document = translate(FIREWALL, f"name,source,destination,service,action\n{rows}").document
    assert [len(policy["rules"]) for policy in document["policies"]] == [1_000, 1_000, 1]


@pytest.mark.parametrize(
    "data", ["\n", "a,a\n1,2\n", "a,b\n1,2,3\n", 'a,b\n"1,2\n', b"a,b\n\xff,1\n", "a,b\n" + "x,y\n" * 20_001]
)
def test_hostile_tables_are_refused_with_their_row(data: str | bytes) -> None:
    with pytest.raises(BadSource) as refused:
        translate(FIREWALL, data)
    assert "row" in refused.value.place


@pytest.mark.parametrize(
    "cell",
    [
        "10.0.0.9-10.0.0.1",
        "10.0.0.0/255.0.255.0",
        "::ffff:10.0.0.1",
        "10.0.0.0/33",
        "www.example.org",
        "-",
        "0x10",
        "!any",
        '"10.1.0.0/16, !any"',
    ],
)
def test_addresses_that_cannot_be_said_leave_their_rule_out(cell: str) -> None:
    translation = translate(FIREWALL, f"source,destination,action\n{cell},any,allow\n")
    assert "policies" not in translation.document and translation.notes[-1].place == "file-1 row 2"


@pytest.mark.parametrize(
    ("service", "source_ports", "expected"),
    [
        ("udp/53", "53; 1024-65535", {"protocol": "udp", "ports": ["53"], "source_ports": ["53", "1024-65535"]}),
        ("https", "1024-65535", {"protocol": "tcp", "ports": ["https"], "source_ports": ["1024-65535"]}),
        ("udp/53", "any", {"protocol": "udp", "ports": ["53"]}),
        ("esp", "500", None),
        ("tcp/443", "high", None),
    ],
)
def test_source_ports_stay_where_a_protocol_has_them(
    service: str, source_ports: str, expected: dict[str, Any] | None
) -> None:
    table = f"name,source,destination,service,source ports,action\nr,any,any,{service},{source_ports},allow\n"
    translation = translate(FIREWALL, table)
    if expected is None:
        assert "policies" not in translation.document and notes(translation, "left_out")
    else:
        [rule] = translation.document["policies"][0]["rules"]
        fields = ("protocol", "ports", "source_ports")
        assert {name: rule[name] for name in fields if name in rule} == expected
        assert not errors(draw(translation))


@pytest.mark.parametrize("cells", ["!any,,,", ",!trust,,", ',"any,!trust",,', ',,"any,!tcp/80",', ',,tcp,"any,!80"'])
def test_what_leaves_zones_services_or_every_address_out_leaves_its_rule_out(cells: str) -> None:
    table = f"action,destination,name,source,source zone,service,port\nallow,any,r,{cells}\n"
    translation = translate(FIREWALL, table)
    assert "policies" not in translation.document and "groups" not in translation.document
    assert list(notes(translation, "left_out")) == ["r"]
