"""The demo's usage and invoice of last month."""

from __future__ import annotations

from billing import demo, selectors
from billing.demo_history import ensure_demo_history
from billing.models import Sample
from provisioning.catalog import SIZES
from tenants.models import Tenant
from tenants.scope import scope
from tests.billing.conftest import at, create_connector_lifecycle, create_lifecycle


def test_the_demos_last_month_has_usage_and_an_invoice_and_is_created_once(acme: Tenant) -> None:
    with scope(acme):
        create_lifecycle("exchange/eu", "exchange.presence", at(0), location="aws-eu-central-1", size="small")
        create_connector_lifecycle("a", at(0))
        created = ensure_demo_history(at(60))
        assert created is not None and created.number == "DRAFT-2026-10"
        assert Sample.objects.count() == 3 * 31 * 24
        assert set(Sample.objects.values_list("provenance__source", flat=True)) == {"demo"}
        invoice = selectors.get_invoice("DRAFT-2026-10")
        assert [line["meter"] for line in invoice["lines"]] == ["exchange_hours", "connector_hours", "gb_exchange_out"]
        assert invoice["unpriced"] == []
        assert ensure_demo_history(at(60)) is None


def test_the_demo_prices_every_size_of_the_catalogue() -> None:
    assert tuple(SIZES) == demo.SIZES
