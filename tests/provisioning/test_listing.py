"""Lists of objects: filtered, ordered, counted and paged over a base and a draft."""

from __future__ import annotations

import pytest

from provisioning.selectors import listing
from provisioning.services.drafts import editing, lifecycle
from provisioning.snapshots import queries
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import DOCUMENT, provision_document

pytestmark = pytest.mark.django_db(databases=["default"])


def test_lists_search_order_and_count_over_base_and_draft(people: People) -> None:
    rules = {"segments": ["corp"], "from": ["prod"], "to": ["dev"], "rules": []}
    policies = [{"name": f"p{number}", "position": 100 - number, **rules} for number in range(9)]
    provision_document(people.acme, document={**DOCUMENT, "policies": policies})
    with scope(people.acme):
        draft = lifecycle.create_draft("second")
        snapshot = queries.live_snapshot()
        by_name = {row.name: row for row in queries.list_objects(snapshot, "policies")}
        editing.patch_object(draft, "policies", by_name["p3"].uid, {"position": 1, "to": ["any"]})
        editing.remove_object(draft, "policies", by_name["p5"].uid)
        editing.add_object(draft, "policies", {"name": "last", **rules})
        snapshot = queries.draft_snapshot(draft.uid)

        def listed(**query: object) -> list[str]:
            page = listing.list_page(snapshot, "policies", with_total=True, **query)  # type: ignore[arg-type]
            assert page.count == len(page.rows)
            return [row.name for row in page.rows]

        assert listed() == ["last", "p0", "p1", "p2", "p3", "p4", "p6", "p7", "p8"]
        assert listed(ordering="position") == ["p3", "p8", "p7", "p6", "p4", "p2", "p1", "p0", "last"]
        assert listed(ordering="-position", filters={"to": "any"}) == ["p3"]
        dev = next(row.uid for row in queries.list_objects(snapshot, "groups") if row.name == "dev")
        prod = next(row.uid for row in queries.list_objects(snapshot, "groups") if row.name == "prod")
        assert listed(filters={"to": dev, "from": prod, "enabled": "true"}) == sorted({*by_name, "last"} - {"p3", "p5"})
        assert listed(filters={"to": dev}, search="P6") == ["p6"]
        first = listing.list_page(snapshot, "policies", limit=4, ordering="position", filters={"from": prod})
        second = listing.list_page(
            snapshot, "policies", limit=4, ordering="position", filters={"from": prod}, cursor=first.next
        )
        assert [row.name for row in (*first.rows, *second.rows)] == ["p3", "p8", "p7", "p6", "p4", "p2", "p1", "p0"]
        back = listing.list_page(
            snapshot, "policies", limit=4, ordering="position", filters={"from": prod}, cursor=second.previous
        )
        assert back.rows == first.rows
        assert listing.list_page(queries.revision_snapshot(1), "policies", with_total=True).count == 9
        site = queries.list_objects(snapshot, "connectors")[0]
        corp = next(row.uid for row in queries.list_objects(snapshot, "segments"))
        page = listing.list_page(
            snapshot, "connectors", filters={"segment": corp, "group": prod, "kind": "lab-site"}, with_total=True
        )
        assert [row.uid for row in page.rows] == [site.uid] and page.count == 1
