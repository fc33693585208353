"""The catalogue of locations, sizes and products."""

from __future__ import annotations

import pytest

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
