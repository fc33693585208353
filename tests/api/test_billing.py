"""Usage, estimates and invoices through the API: the amounts of billing as decimal strings."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing import services
from billing.demo import ensure_demo_prices
from billing.metering import collect_samples
from billing.models import PriceBook
from tenants.models import Tenant
from tests.api.problem_assertions import assert_problem
from tests.billing.conftest import create_connector_lifecycle, create_lifecycle, create_named_item
from tests.people import ApiClient, ApiFactory, People, TenantScope

pytestmark = pytest.mark.django_db

START, NOW = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)
SPAN = "from=2026-11-01&to=2026-11-03T00:00:00Z"


@pytest.fixture
def finance(api: ApiFactory) -> ApiClient:
    return api("finance")


@pytest.fixture
def invoice(people: People, tenant_scope: TenantScope) -> str:
    """Return the number of a draft invoice over two days of an exchange and a connector."""
    ensure_demo_prices(datetime(2026, 10, 1, tzinfo=UTC))
    with tenant_scope(people.acme):
        create_named_item("exchanges", "eu", "Europe")
        create_named_item("connectors", "dc", "Data centre")
        create_lifecycle("exchange/eu", "exchange.presence", START, location="aws-eu-central-1", size="small")
        create_connector_lifecycle("dc", START)
        collect_samples(START, NOW, NOW)
        invoice = services.update_draft_invoice(date(2026, 11, 1), NOW)
        assert invoice is not None
        return invoice.number


def test_usage_is_grouped_and_adds_up(finance: ApiClient, invoice: str) -> None:
    answer = finance.get(f"t/acme/usage/?{SPAN}").json()
    assert answer["currency"] == "EUR"
    assert sum(Decimal(row["amount"]) for row in answer["results"]) == Decimal(answer["total"]) > 0
    assert {row["meter"] for row in answer["results"]} == {"exchange_hours", "connector_hours"}
    days = finance.get(f"t/acme/usage/?{SPAN}&meter=connector_hours&group_by=day").json()
    assert [(row["key"], Decimal(row["quantity"])) for row in days["results"]] == [
        ("2026-11-01", 24),
        ("2026-11-02", 24),
    ]
    things = finance.get(f"t/acme/usage/?{SPAN}&group_by=subject").json()
    assert {row["thing"]["name"] for row in things["results"]} == {"Europe", "Data centre"}


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("from=yesterday", "from"),
        ("from=2026-13-01", "from"),
        ("from=2026-11-03&to=2026-11-01", "to"),
        ("from=2020-01-01&to=2026-01-01", "to"),
        (f"{SPAN}&meter=nonsense", "meter"),
        (f"{SPAN}&group_by=nonsense", "group_by"),
    ],
)
def test_an_invalid_usage_query_names_its_parameter(finance: ApiClient, query: str, path: str) -> None:
    assert assert_problem(finance.get(f"t/acme/usage/?{query}"), 400)["problems"][0]["path"] == path


def test_an_invoice_lists_lines_and_their_samples(finance: ApiClient, invoice: str) -> None:
    [head] = finance.get("t/acme/invoices/").json()["results"]
    assert head["number"] == invoice and head["state"] == "draft"
    detail = finance.get(f"t/acme/invoices/{invoice}/").json()
    assert detail["total"] == head["total"] and detail["groups"]
    lines = finance.get(f"t/acme/invoices/{invoice}/lines/").json()["results"]
    assert sum(Decimal(line["amount"]) for line in lines) == Decimal(head["total"])
    line = lines[0]
    assert line["explanation"] and line["subject"]["title"]
    page = finance.get(f"t/acme/invoices/{invoice}/lines/{line['id']}/samples/?limit=1000").json()
    assert sum(Decimal(sample["quantity"]) for sample in page["results"]) == Decimal(line["quantity"])


def test_the_csv_of_an_invoice_has_the_same_amounts(finance: ApiClient, invoice: str) -> None:
    answer = finance.get(f"t/acme/invoices/{invoice}/export/?format=csv", accept="application/json")
    assert answer["Content-Type"].startswith("text/csv")
    assert f"invoice-{invoice}.csv" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    total = finance.get(f"t/acme/invoices/{invoice}/").json()["total"]
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal(total)
    assert_problem(finance.get(f"t/acme/invoices/{invoice}/export/?format=docx"), 400)


def test_a_missing_invoice_is_404_and_billing_needs_its_permission(
    finance: ApiClient, api: ApiFactory, invoice: str
) -> None:
    assert_problem(finance.get("t/acme/invoices/nothing/"), 404)
    assert_problem(finance.get("t/acme/invoices/nothing/lines/"), 404)
    assert_problem(finance.get("t/acme/invoices/nothing/export/"), 404)
    assert_problem(api("secadmin").get("t/acme/usage/"), 403)
    assert_problem(api("globex_owner").get(f"t/globex/invoices/{invoice}/"), 404)


def test_amounts_are_null_without_a_price_book(finance: ApiClient) -> None:
    assert finance.get("t/acme/usage/").json()["total"] is None
    assert finance.get("t/acme/estimate/").json()["monthly_after"] is None


def test_a_new_tenant_gets_the_prices_of_the_named_book(api: ApiFactory, people: People) -> None:
    ensure_demo_prices(datetime(2026, 10, 1, tzinfo=UTC))
    like = PriceBook.objects.get(buyer_tenant=people.acme)
    wish = {"slug": "hooli", "name": "Hooli", "owner": "gavin@demo.test"}
    problem = assert_problem(api("msp_admin").post("tenants/", {**wish, "price_book": "nothing"}), 400)
    assert problem["problems"][0]["path"] == "price_book"
    assert not Tenant.objects.filter(slug="hooli").exists()
    foreign = PriceBook.objects.get(buyer_tenant=people.initech).name
    assert_problem(api("msp_admin").post("tenants/", {**wish, "price_book": foreign}), 400)
    assert api("msp_admin").post("tenants/", {**wish, "price_book": like.name}).status_code == 201
    book = PriceBook.objects.get(buyer_tenant__slug="hooli")
    assert book.versions.get().rates == like.versions.get().rates and book.seller == people.msp
