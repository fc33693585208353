"""The connector wizard in a browser: choosing a discovered network fills in the connector's settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import sign_in
from tests.people import People
from tests.portal.sample_network import create_sample_network

pytestmark = pytest.mark.browser

VPC = {"id": "vpc-0a1b", "name": "prod", "region": "us-east-1", "prefixes": ["10.7.0.0/16"], "subnets": []}


def test_choosing_a_discovered_vpc_fills_in_account_region_and_exchange(
    live_portal: str, people: People, tenant_scope: Callable[..., Any], page: Page
) -> None:
    from django.utils import timezone

    from provisioning.models import CloudAccount
    from provisioning.services.drafts import lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        create_sample_network(draft)
        account = CloudAccount(name="main", provider="aws", account_id="123456789012", regions=["us-east-1"])
        account.discovery, account.discovered_at, account.inventory = "done", timezone.now(), {"vpcs": [VPC]}
        account.save()
    sign_in(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/connectors/new/?draft={draft.uid}&kind=aws-vpc&account={account.uid}")
    page.locator("input[name=network]").check()
    for name, value in (
        ("settings.account", "123456789012"),
        ("settings.region", "us-east-1"),
        ("settings.vpc_id", "vpc-0a1b"),
        ("attachments[0].prefixes", "10.7.0.0/16"),
        ("name", "prod"),
    ):
        expect(page.locator(f"#wz-form [name='{name}']")).to_have_value(value)
    page.get_by_role("button", name="Add to draft").click()
    page.wait_for_url(f"**/t/acme/design/{draft.uid}/?select=connectors/*")
    page.goto(f"{live_portal}/t/acme/connectors/new/?draft={draft.uid}&kind=aws-vpc&account={account.uid}")
    expect(page.locator("input[name=network]")).to_be_disabled()
    expect(page.get_by_text("used by prod")).to_be_visible()
