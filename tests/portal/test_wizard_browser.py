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


def test_finished_steps_are_a_line_and_the_next_heading_has_the_focus(
    live_portal: str, people: People, tenant_scope: Callable[..., Any], page: Page
) -> None:
    from django.utils import timezone

    from provisioning.models import CloudAccount
    from provisioning.services.drafts import editing, lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        create_sample_network(draft)
        editing.add_object(draft, "segments", {"name": "lab", "prefixes": ["10.0.0.0/8"]})
        for name, number in (("main", "123456789012"), ("other", "123456789013")):
            account = CloudAccount(name=name, provider="aws", account_id=number, regions=["eu-west-1"])
            dublin = {**VPC, "region": "eu-west-1"}
            account.discovery, account.discovered_at, account.inventory = "done", timezone.now(), {"vpcs": [dublin]}
            account.save()
    sign_in(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/connectors/new/?draft={draft.uid}")
    focused = page.locator(":focus")
    expect(focused).to_have_text("1. What to attach")
    page.get_by_role("link", name="AWS VPC").click()
    expect(focused).to_have_text("2. Which network")
    expect(focused).to_be_in_viewport()
    expect(page.get_by_role("heading", name="1. AWS VPC")).to_be_visible()
    finished = page.locator("section.wz-done").bounding_box()
    assert finished is not None and finished["height"] < 60
    expect(page.get_by_role("link", name="Lab site")).to_have_count(0)
    page.get_by_role("link", name="other").click()
    expect(page.get_by_role("link", name="Change the account")).to_be_visible()
    exchange = page.locator("#wz-form [name=exchange]")
    expect(exchange).to_have_value("")  # no exchange before the network is known
    page.locator(".wz-choice").click()
    expect(focused).to_have_text("3. Where it attaches")
    expect(page.locator(".wz-choices")).to_be_hidden()
    expect(page.locator("[data-network-chosen]")).to_contain_text("prod · 10.7.0.0/16")
    # Dublin is nearest to the exchange in Frankfurt; the segment is that of the connector before.
    expect(page.locator("#wz-form [data-pick]", has=page.locator("[name=exchange]"))).to_contain_text("eu")
    expect(page.locator("#wz-form [data-pick]", has=page.locator("[name='attachments[0].segment']"))).to_contain_text(
        "corp"
    )
    page.get_by_role("button", name="Change the VPC").click()
    expect(page.locator(".wz-choices")).to_be_visible()
    page.get_by_role("link", name="Change what to attach").click()
    page.get_by_role("link", name="Lab site").click()
    expect(focused).to_have_text("2. Where it attaches")
