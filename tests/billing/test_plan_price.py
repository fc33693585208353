"""The cost delta of a plan, as the plan page and the API show it."""

from __future__ import annotations

import json
from decimal import Decimal as D

from billing import services
from provisioning.core.values.resource import Resource
from tenants.models import Tenant
from tenants.scope import scope
from tests.billing.conftest import at, create_named_item

EXCHANGE = Resource("exchange/eu", "exchange.presence", {"size": "small", "location": "aws-eu-central-1", "rate": 1})


def connector(name: str, size: str) -> Resource:
    return Resource(f"connector/{name}", "exchange.connector", {"size": size, "kind": "lab-site", "exchange": "eu"})


def test_price_lines_are_the_differences_and_add_up(acme: Tenant) -> None:
    with scope(acme):
        item = create_named_item("connectors", "a", "Hospital A")
        before = [EXCHANGE, connector("a", "small"), connector("gone", "small")]
        after = [EXCHANGE, connector("a", "medium"), connector("new", "large"), Resource("x/y", "aws.vpc-routes", {})]
        price = services.price_plan(before, after, at(0))
    assert json.loads(json.dumps(price)) == price
    assert (price["currency"], price["monthly_before"], price["monthly_after"]) == ("EUR", "426.32", "624.15")
    assert price["price_book"] == "Northwind Managed Networks for Acme Health 2026-10-01"
    assert [(line["subject"]["name"], line["label"], line["amount"]) for line in price["lines"]] == [
        ("Hospital A", "Connector hours, medium, lab-site", "45.99"),
        ("gone", "Connector hours, small, lab-site", "-59.86"),
        ("new", "Connector hours, large, lab-site", "211.70"),
    ]
    assert price["lines"][0]["subject"]["uid"] == str(item.uid)
    assert price["lines"][0]["before"]["explanation"] == (
        "730 h × 0.082 = EUR 59.86, flat price, half up to the minor unit."
    )
    assert sum(D(line["amount"]) for line in price["lines"]) == D(price["difference"])


def test_resources_without_a_price_are_listed(acme: Tenant) -> None:
    with scope(acme):
        price = services.price_plan([], [connector("a", "gigantic")], at(0))
    assert price["lines"] == [] and price["unpriced"][0]["subject"] == "connector/a"
