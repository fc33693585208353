"""Addresses of resources and paths of problems are told by names of objects; keys stay as they were first."""

from __future__ import annotations

from typing import Any

from portal.pages.object_links import ObjectLinks
from provisioning.core.reach import trace_flow
from provisioning.selectors.object_names import address_by_names, names_in_addresses
from provisioning.services import plans
from provisioning.services.drafts import editing, lifecycle
from provisioning.snapshots import queries, tenant_cache
from tests.people import People
from tests.provisioning.small_network import provision_document


def test_addresses_and_paths_say_the_names_that_the_draft_has(people: People, tenant_scope: Any) -> None:
    provision_document(people.acme)
    addresses = [
        "exchange/eu/1/segment/corp",
        "service/fw/us/instance/1",
        "aws/12/eu-central-1/cgw/eu/2",
        "connector/site-1",
    ]
    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rename")
        for kind, key, name in (("exchanges", "eu", "London Core!"), ("connectors", "site-1", "Head office")):
            uid = next(row.uid for row in _rows(draft, kind) if row.key == key)
            editing.patch_object(draft, kind, uid, {"name": name})
        names = names_in_addresses(addresses, draft)
        assert [address_by_names(address, names) for address in addresses] == [
            "exchange/London Core!/1/segment/corp",
            "service/fw/us/instance/1",
            "aws/12/eu-central-1/cgw/London Core!/2",
            "connector/Head office",
        ]
        paths = ["connectors/site-1/attachments[0].group", "exchanges/eu", "segments/nowhere/prefixes", ""]
        links = ObjectLinks("/objects/", paths=paths, draft=draft)
        assert [links.place(path)["place"] for path in paths] == [
            "connector Head office, attachments[0].group",
            "exchange London Core!",
            "segments/nowhere/prefixes",
            "",
        ]
        assert links.place(paths[0])["url"].startswith("/objects/connectors/?select=")


def _rows(draft: Any, kind: str) -> Any:
    return queries.list_objects(queries.snapshot_of_draft(draft), kind)


def test_a_plan_and_a_trace_say_names(people: People, tenant_scope: Any) -> None:
    provision_document(people.acme)
    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rename")
        uid = next(row.uid for row in _rows(draft, "connectors") if row.key == "site-1")
        editing.patch_object(draft, "connectors", uid, {"name": "Head office", "size": "large"})
        rule = {"name": "All of it", "action": "allow"}
        policy = {"name": "Prod to dev", "segments": ["corp"], "from": ["prod"], "to": ["dev"], "rules": [rule]}
        editing.add_object(draft, "policies", policy)
        assert "  ~ connector/Head office  (" in plans.create_plan(draft).text
        network = tenant_cache.load_network(queries.snapshot_of_draft(draft))
    trace = trace_flow(network, "Head office", "site-2", "tcp", 443)
    assert trace.rule == "prod-to-dev/all-of-it"
    assert any("Rule “All of it” of policy “Prod to dev” allows it." in hop.reason for hop in trace.hops)
