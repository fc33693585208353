"""Usage and its cost by billing tag, segment and group: split evenly, and to the cent."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from billing import selectors
from billing.metering import collect_samples
from portal.pages.usage import percent_change
from provisioning.models import Item, Revision, Version
from provisioning.models.intent import FOREVER
from tenants.models import Membership, Role, Tenant, User
from tenants.scope import scope
from tests.billing.conftest import create_connector_lifecycle, create_lifecycle, create_named_item

START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


def connector(key: str, body: dict[str, Any], first: int = 1, last: int = FOREVER, item: Item | None = None) -> Item:
    if item is None:
        item = Item(kind="connectors", key=key)
        item.save()
    Version(item=item, kind="connectors", name=key, body=body, first=first, last=last).save()
    return item


@pytest.fixture
def month(acme: Tenant) -> Tenant:
    """One connector is in two segments and moves from group lab to prod; one has two tags; the exchange has nothing."""
    with scope(acme):
        uid = {
            name: str(create_named_item(kind, name, name).uid)
            for kind, name in (
                ("segments", "corp"), ("segments", "guest"), ("groups", "lab"), ("groups", "prod"),
                ("billing-tags", "research"), ("billing-tags", "care"),
            )
        }  # fmt: skip
        Revision(number=1, author="x", created_at=START).save()
        Revision(number=2, author="x", created_at=START + timedelta(days=10)).save()
        ends = [{"segment": uid["corp"], "groups": [uid["lab"]]}, {"segment": uid["guest"], "groups": []}]
        dc = connector("dc", {"attachments": ends, "billing_tags": []}, last=1)
        moved = [{"segment": uid["corp"], "groups": [uid["prod"]]}, ends[1]]
        connector("dc", {"attachments": moved, "billing_tags": []}, first=2, item=dc)
        only = [{"segment": uid["corp"], "groups": [uid["prod"]]}]
        connector("hospital", {"attachments": only, "billing_tags": [uid["research"], uid["care"]]})
        create_named_item("exchanges", "eu", "Europe")
        create_lifecycle("exchange/eu", "exchange.presence", START, location="aws-eu-central-1", size="medium")
        create_connector_lifecycle("dc", START, size="large")
        create_connector_lifecycle("hospital", START, size="small")
        collect_samples(START, END, END)
    return acme


def report(grouping: str, meter: str | None = None, end: datetime = END) -> dict[str, D]:
    rows = selectors.usage_report(START, end, meter, grouping)["rows"]
    return {row["group_label"]: row["amount"] for row in rows}


def test_cost_is_split_evenly_over_segments_and_tags_and_the_rest_is_named(month: Tenant) -> None:
    with scope(month):
        whole = report("subject", "connector_hours")
        assert report("segment", "connector_hours") == {
            "corp": whole["hospital"] + whole["dc"] / 2,
            "guest": whole["dc"] / 2,
        }
        assert report("tag", "connector_hours") == {
            "care": whole["hospital"] / 2,
            "research": whole["hospital"] / 2,
            "Not tagged": whole["dc"],
        }


@pytest.mark.parametrize("grouping", selectors.OWNER_GROUPINGS)
def test_the_parts_add_up_to_the_cent(month: Tenant, grouping: str) -> None:
    with scope(month):
        for end in (END, START + timedelta(hours=7), START + timedelta(days=3, hours=1)):
            split = selectors.usage_report(START, end, None, grouping)
            assert sum((row["amount"] for row in split["rows"]), D(0)) == split["total"]
            assert split["total"] == selectors.usage_report(START, end)["total"] and split["group_by"] == grouping


def test_a_group_is_the_one_of_the_revision_that_was_live_at_the_end(month: Tenant) -> None:
    with scope(month):
        assert set(report("group", "connector_hours", START + timedelta(days=9))) == {"lab", "prod"}
        assert set(report("group", "connector_hours")) == {"prod"}


def test_what_belongs_to_nothing_is_said_so(month: Tenant) -> None:
    with scope(month):
        assert report("group", "exchange_hours").keys() == {"In no group"}


def test_the_page_shows_cost_by_tag_with_its_change_against_the_period_before(month: Tenant, client: Client) -> None:
    person = User.objects.create_user("finance@demo.test", None, name="Finance")
    Membership.objects.create(user=person, role=Role.FINANCE, tenant=month)
    client.force_login(person)
    page = client.get(f"/t/{month.slug}/usage/?by=tag&from=2026-11-11&to=2026-11-20").content.decode()
    rows = re.findall(r"<tr>.*?</tr>", page, re.S)
    assert "vs previous 10 days" in rows[0]
    [research] = [row for row in rows if "research" in row]
    assert re.search(r"0\.00\s*<span class=\"ink-3\">\s*0 %", research)
    assert any("Not tagged" in row for row in rows)


@pytest.mark.parametrize(
    ("before", "after", "percent"),
    [("3954.24", "1.07", -99), ("3954.24", "0", -100), ("100", "100.4", 0), ("10", "25", 150), ("0", "5", None)],
)
def test_a_change_is_minus_100_percent_only_where_nothing_is_left(before: str, after: str, percent: int | None) -> None:
    assert percent_change(D(before), D(after)) == percent
