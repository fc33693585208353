"""Positions that a document leaves out: objects keep its order."""

from __future__ import annotations

import pytest

from tests.api.sample_network import create_sample_network
from tests.people import ApiClient

pytestmark = pytest.mark.django_db


def test_objects_of_a_document_have_their_order_where_it_gives_no_positions(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    document = netadmin.get(f"{where}intent/").json()
    [policy] = document["policies"]
    del policy["position"], policy["id"]
    named = [{**policy, "name": "first"}, {**policy, "name": "second", "position": 55}, {**policy, "name": "third"}]
    assert netadmin.put(f"{where}intent/", {**document, "policies": named}).status_code == 200
    positions = {policy["name"]: policy["position"] for policy in netadmin.get(f"{where}intent/").json()["policies"]}
    assert positions == {"first": 10, "second": 55, "third": 60}
