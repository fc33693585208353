"""NetBox's sites, prefixes and VRFs as segments and connectors."""

from __future__ import annotations

import json
from time import process_time

import pytest

from provisioning.core.translators.translation import BadSource
from tests.core.trace_queries import trace_disposition
from tests.core.translators.translating import draw, errors, notes, translate

NETBOX = "netbox"


def test_vrfs_are_segments_and_sites_connectors_with_their_prefixes() -> None:
    translation = translate(NETBOX, "netbox.json")
    net = draw(translation)
    assert errors(net) == []
    document = translation.document
    assert [segment["name"] for segment in document["segments"]] == ["corp", "lab", "guest", "global"]
    amsterdam, boston = document["connectors"]
    assert (amsterdam["kind"], amsterdam["settings"]) == ("colo", {"facility": "AM5"})
    assert amsterdam["exchange"] == "eu-central-1" and amsterdam["description"] == "two racks"
    assert amsterdam["attachments"] == [
        {"segment": "corp", "labels": {"tag.pci": "", "role": "Servers"}, "prefixes": ["10.1.0.0/16"]},
        {"segment": "lab", "labels": {}, "prefixes": ["172.16.9.0/24"]},
    ]
    assert (boston["kind"], boston["settings"]) == ("ipsec-site", {"identity": "Boston"})
    assert document["groups"] == [{"name": "Servers", "selector": "role=Servers"}]


def test_sites_of_one_vrf_reach_each_other_and_vrfs_that_import_each_other_share() -> None:
    net = draw(translate(NETBOX, "netbox.json"))
    assert trace_disposition(net, "10.1.0.1", "10.2.0.1", "tcp", 443, segment="corp") == "delivered"
    assert [share["name"] for share in translate(NETBOX, "netbox.json").document["shares"]] == ["corp lab"]
    assert trace_disposition(net, "10.2.0.1", "172.16.9.1", "tcp", 443, segment="corp") == "delivered"


def test_what_cannot_be_said_is_told() -> None:
    translation = translate(NETBOX, "netbox.json")
    left_out = notes(translation, "left_out")
    assert left_out["10.0.0.0/8"] == "Its status is container: nothing uses it."
    assert left_out["10.4.0.0/16"] == "It is at no site, so nothing attaches it."
    assert "has it at" in left_out["10.1.0.0/16"]
    assert left_out["site Empty"] == "No prefix is there."
    assert "corp and guest share the target 65000:9" in left_out
    assert {"site Amsterdam", "site Boston"} <= notes(translation, "needed").keys()


def test_tables_as_netbox_exports_them_say_the_same_as_the_api() -> None:
    vrfs = "Name,RD,Import targets,Export targets\ncorp,65000:1,65000:9,65000:9\nlab,—,65000:9,65000:9\n"
    sites = "Name,Slug,Status,Facility,Region\nAmsterdam,ams,Active,AM5,eu-central-1\n"
    prefixes = (
        "Prefix,Status,VRF,Site,Role,Tags\n10.1.0.0/16,Active,corp,Amsterdam,Servers,pci\n"
        "172.16.9.0/24,Active,lab,Amsterdam,—,\n10.5.0.0/16,Active,—,Amsterdam,,\n"
    )
    tables, api = translate(NETBOX, vrfs, sites, prefixes, segment="core"), translate(NETBOX, "netbox.json")
    attachments = tables.document["connectors"][0]["attachments"]
    assert attachments[:2] == api.document["connectors"][0]["attachments"]
    assert attachments[2]["segment"] == "core" and "core" not in {each["name"] for each in tables.document["segments"]}
    assert [share["name"] for share in tables.document["shares"]] == ["corp lab"]


def test_a_plain_answer_of_the_api_is_told_by_its_fields() -> None:
    answer = '{"count": 1,\n"results": [{"prefix": "10.1.0.0/16", "site": {"name": "Ams"}, "vrf": null}]}'
    assert translate(NETBOX, answer).document["connectors"][0]["name"] == "Ams"


@pytest.mark.parametrize("data", ["{\n", "[\n]", '{"results":\n[{"name": "x"}]}', "a,b\n1,2\n", "\n", b"{\n\xff"])
def test_what_is_not_netbox_is_refused(data: str | bytes) -> None:
    with pytest.raises(BadSource) as refused:
        translate(NETBOX, data)
    assert refused.value.place.startswith("file-1")


def test_vrfs_that_all_reach_each_other_make_so_many_shares_only() -> None:
    target = [{"name": "65000:1"}]
    vrfs = [{"name": f"v{number}", "import_targets": target, "export_targets": target} for number in range(800)]
    translation = translate("netbox", json.dumps({"vrfs": {"results": vrfs}}, indent=1))
    assert len(translation.document["shares"]) == 1_000
    assert "More than 1,000 pairs" in str(translation.notes)


def test_vrfs_by_the_ten_thousand_are_not_compared_each_with_each() -> None:
    rows = "".join(f"v{number},,65000:{number // 2},65000:{number // 2}\n" for number in range(40_000))
    started = process_time()
    translation = translate(NETBOX, f"name,rd,import_targets,export_targets\n{rows}")
    assert process_time() - started < 20
    shares = [share["name"] for share in translation.document["shares"]]
    assert (len(shares), shares[0], shares[-1]) == (1_000, "v0 v1", "v1998 v1999")


def test_targets_that_go_one_way_end_too() -> None:
    rows = "hub,,,65000:9\n" + "".join(f"v{number},,65000:9,\n" for number in range(1, 2_000))
    translation = translate(NETBOX, f"name,rd,import_targets,export_targets\n{rows}")
    assert "shares" not in translation.document and "More than 1,000 pairs" in translation.notes[0].why
    assert "hub and v999 share" in translation.notes[-1].says
