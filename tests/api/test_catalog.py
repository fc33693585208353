"""The catalogue of locations, sizes and products."""

from __future__ import annotations

import pytest

from tests.api.sample_network import create_sample_network
from tests.people import ApiClient

pytestmark = pytest.mark.django_db


def test_the_catalogue_is_paged_and_filtered(netadmin: ApiClient) -> None:
    page = netadmin.get("catalog/exchanges/?provider=aws&limit=2").json()
    assert len(page["results"]) == 2 and page["next"] and not page["previous"]
    assert all(location["provider"] == "aws" for location in page["results"])
    following = netadmin.get(page["next"]).json()
    assert following["previous"] and following["results"][0] not in page["results"]
    assert netadmin.get("catalog/products/").json()["results"][0]["key"] == "linux-firewall"
    assert "underlay" not in str(page)


def test_well_known_ports_are_listed_and_a_rule_may_name_them(netadmin: ApiClient) -> None:
    listed = {row["name"]: row["entries"] for row in netadmin.get("catalog/port-lists/?limit=200").json()["results"]}
    assert listed["dns"] == [{"protocol": "tcp", "ports": ["53"]}, {"protocol": "udp", "ports": ["53"]}]
    where = create_sample_network(netadmin)
    [policy] = netadmin.get(f"{where}policies/").json()["results"]
    rules = [{"action": "allow", "protocol": "tcp", "ports": ["HTTPS"]}]
    changed = netadmin.patch(f"{where}policies/{policy['id']}/", {"rules": rules})
    assert changed.json()["rules"][0]["ports"] == ["https"]
