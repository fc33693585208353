"""The topology in a browser: rates, a lost socket, the panel that follows the URL, keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tenants.models import Tenant
from tests.browser import sign_in
from tests.node_reports import report_rates
from tests.people import People
from tests.portal.test_accessibility_browser import AXE, RUN

pytestmark = pytest.mark.browser

CORP = {"name": "corp", "default_action": "allow", "prefixes": ["10.0.0.0/8"]}


@pytest.fixture
def network(people: People, tenant_scope: Callable[..., Any]) -> Iterator[None]:
    """Make a network of two exchanges and three connectors live without a run."""
    from provisioning.core import intent
    from provisioning.models import Item, LiveRevision, Node, Revision, Version

    names: dict[tuple[str, str], str] = {}

    def add(kind: str, body: dict[str, Any]) -> None:
        body = intent.normalise_body(kind, body, lambda kind_wanted, name: names.get((kind_wanted, name)))
        item = Item(kind=kind, key=body["name"])
        item.save()
        names[kind, body["name"]] = str(item.uid)
        Version(item=item, kind=kind, name=body["name"], body=body, first=1).save()

    with tenant_scope(people.acme):
        add("segments", CORP)
        add("exchanges", {"name": "eu", "location": "aws-eu-central-1", "size": "small"})
        add("exchanges", {"name": "us", "location": "aws-us-east-1", "size": "small"})
        for number, (name, at) in enumerate((("hospital-a", "eu"), ("hospital-b", "eu"), ("office", "us")), 1):
            attached = [{"segment": "corp", "prefixes": [f"10.{number}.0.0/16"]}]
            add("connectors", {"name": name, "kind": "lab-site", "exchange": at, "attachments": attached})
        day_ago = timezone.now() - timedelta(days=1)
        Revision(number=1, author="netadmin@demo.test", message="first", created_at=day_ago).save()
        LiveRevision.objects.update_or_create(defaults={"live": 1})
    for location in ("aws-eu-central-1", "aws-us-east-1"):
        for index in (1, 2):
            Node.objects.create(location=location, index=index, seen_at=timezone.now() + timedelta(hours=1))
    yield


@pytest.fixture
def topology(page: Page, live_portal: str, people: People, network: None) -> str:
    sign_in(page, live_portal, people.owner)
    return f"{live_portal}/t/acme/topology/"


def report_traffic(bits: int) -> None:
    """Report so many bits per second, from another thread because Playwright's loop runs in this one."""

    def report() -> None:
        subjects = {"connector/office": [bits, 0], "mesh/eu": [0, bits]}
        report_rates(Tenant.objects.get(slug="acme"), "aws-us-east-1", subjects, exchange="us")
        connection.close()

    with ThreadPoolExecutor() as threads:
        threads.submit(report).result()


def test_rates_from_the_socket_update_the_table_and_the_map(page: Page, topology: str) -> None:
    for view, cell in (("?view=table", "tr[data-thing='connector/office'] [data-way='forth']"), ("", ".tp-rate .v")):
        page.goto(topology + view)
        expect(page.locator("[data-live]")).to_contain_text("Live")
        report_traffic(212_000_000)
        expect(page.locator(cell).first).to_have_text("212 Mb/s")


def test_a_lost_socket_is_shown_and_reconnects(page: Page, topology: str) -> None:
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    page.route_web_socket(re.compile(r"/ws/t/acme/"), through)
    page.goto(topology)
    expect(page.locator("[data-live]")).to_contain_text("Live")
    sockets[0].close(code=1012)
    expect(page.locator("[data-live]")).to_have_text(re.compile(r"Stale since \d\d:\d\d:\d\d UTC, reconnecting"))
    expect(page.locator("[data-live]")).to_contain_text("Live")
    assert len(sockets) == 2


def test_a_connector_is_found_by_keyboard_and_its_url_opens_it_again(page: Page, topology: str) -> None:
    page.goto(topology)
    cluster = page.get_by_role("button", name=re.compile("Lab sites, 2 at eu"))
    cluster.focus()
    page.keyboard.press("Enter")
    mark = page.get_by_role("link", name=re.compile("hospital-a, Lab site at eu"))
    mark.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="hospital-a")
    expect(panel).to_contain_text("10.1.0.0/16")
    expect(panel).to_contain_text("not provisioned yet")
    assert "select=connector%2Fhospital-a" in page.url
    page.reload()
    expect(panel).to_contain_text("10.1.0.0/16")
    expect(page.locator("[data-live]")).to_contain_text("Live")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.go_back()
    expect(panel).to_be_visible()


def test_the_palette_finds_a_connector_by_its_prefix_and_a_page_by_its_name(page: Page, topology: str) -> None:
    page.goto(topology)
    page.keyboard.press("Control+k")
    page.keyboard.type("10.3.")
    expect(page.get_by_role("option", name=re.compile("office"))).to_be_visible()
    page.get_by_label("Search or jump to").last.fill("invo")
    page.keyboard.press("Enter")
    page.wait_for_url("**/t/acme/invoices/")


def test_the_palette_finds_what_holds_an_address_and_does_what_it_is_asked(page: Page, topology: str) -> None:
    page.goto(topology)
    page.keyboard.press("Control+k")
    search, options = page.get_by_label("Search or jump to").last, page.locator("#palette [role=option]")
    search.fill("10.3.7.9")
    expect(options.nth(0)).to_contain_text("office")  # of a longer prefix than the segment's
    expect(options.nth(1)).to_contain_text("corp")
    expect(options.nth(2)).to_contain_text("Trace from 10.3.7.9")
    search.fill("nothing-like-it")
    expect(page.locator("#palette")).to_contain_text("No results for “nothing-like-it”.")
    search.fill("theme: dark")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.keyboard.press("Control+k")
    search.fill("new draft")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="New draft")).to_be_visible()


def test_keyboard_shortcuts_are_listed_and_can_be_turned_off(page: Page, topology: str) -> None:
    page.goto(topology)
    page.keyboard.press("?")
    shortcuts = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(shortcuts).to_contain_text("Go to Usage and cost")
    shortcuts.get_by_label("Single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(shortcuts).to_be_hidden()


@pytest.mark.parametrize("width", [320, 1440])
@pytest.mark.parametrize("path", ["", "?view=table", "../usage/", "../members/", "../settings/tokens/", "../audit/"])
def test_no_topology_page_scrolls_sideways(page: Page, topology: str, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(topology + path)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_on_a_phone_a_selected_connector_shows_its_details(page: Page, topology: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(topology)
    page.get_by_role("link", name=re.compile("office, Lab site at us")).focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="office")
    expect(panel.get_by_role("heading", name="office")).to_be_in_viewport()
    expect(panel.get_by_role("link", name="Trace")).to_have_attribute("href", re.compile(r"/trace/\?from="))
    expect(panel).to_contain_text("Last 24 hours")


def test_a_link_without_traffic_has_a_mark_and_no_number_and_its_name_holds_its_rate(page: Page, topology: str) -> None:
    page.goto(topology)
    expect(page.get_by_role("link", name=re.compile("Mesh link eu to us.*no traffic"))).to_be_visible()
    expect(page.locator(".tp-rate")).to_have_count(0)
    expect(page.locator(".tp-hub", has_text="Frankfurt")).to_contain_text("eu")
    report_traffic(212_000_000)
    expect(page.get_by_role("link", name=re.compile("Mesh link eu to us, .* 212 Mb.s"))).to_be_visible()


def test_without_scripts_the_topology_says_where_its_data_is(topology: str, page: Page, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    plain = context.new_page()
    plain.goto(topology)
    expect(plain.locator(".tp-noscript")).to_be_visible()
    expect(plain.locator("[data-live]")).to_be_hidden()
    context.close()


@pytest.fixture
def past(people: People, network: None, tenant_scope: Callable[..., Any]) -> None:
    """Let a connector have carried 80 Mb/s for a quarter of an hour, two hours ago, while one node of eu
    and both of us were heard."""
    from provisioning.models import EdgeTraffic, Node, NodeSection, NodeTenant, TrafficRollup

    until = timezone.now().replace(minute=0, second=0, microsecond=0)
    with tenant_scope(people.acme):
        TrafficRollup(until=until).save()
        for node in Node.objects.all():
            exchange = "eu" if node.location == "aws-eu-central-1" else "us"
            NodeTenant.objects.create(node=node, tenant=people.acme)
            NodeSection(node=node, exchange=exchange, address=f"exchange/{exchange}", kind="x").save()
            if (exchange, node.index) == ("eu", 2):
                continue
            for slot in range(3):
                EdgeTraffic(
                    edge="connector/office" if exchange == "us" else "connector/hospital-a",
                    node=node,
                    exchange=exchange,
                    slot_minutes=5,
                    start=until - timedelta(hours=2) + slot * timedelta(minutes=5),
                    minutes=5,
                    forth=40_000_000 // 8 * 300 if exchange == "us" else 0,
                    over_rate=700 if exchange == "us" else 0,
                ).save()


def test_the_time_slider_shows_traffic_and_states_of_then(page: Page, topology: str, past: None) -> None:
    page.goto(f"{topology}?view=table&select=connector/office")
    office = page.locator("tr[data-thing='connector/office']")
    expect(page.locator("#tp-side")).to_contain_text("4,200 packets")
    slider = page.get_by_role("slider", name="Time shown on the map")
    expect(slider).to_have_value("96")
    slider.focus()
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    expect(office.locator("[data-way='forth']")).to_have_text("80 Mb/s")
    expect(page.locator("tr[data-thing='exchange/eu']")).to_contain_text("1 of 2")
    expect(page.locator("tr[data-thing='exchange/us']")).to_contain_text("2 of 2")
    page.evaluate(AXE.read_text())
    assert page.evaluate(RUN, [None, None]) == []
    report_traffic(212_000_000)
    page.wait_for_timeout(3000)
    expect(office.locator("[data-way='forth']")).to_have_text("80 Mb/s")
    page.reload()
    expect(page.get_by_role("slider", name="Time shown on the map")).to_have_value("88")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Back to live").click()
    report_traffic(212_000_000)
    expect(page.locator("tr[data-thing='exchange/eu']")).to_contain_text("2 of 2")
    expect(office.locator("[data-way='forth']")).to_have_text("212 Mb/s")


def test_the_panel_looks_back_as_far_as_is_chosen(page: Page, topology: str, past: None) -> None:
    page.goto(f"{topology}?select=exchange/us")
    panel = page.locator("#tp-side")
    expect(panel).to_contain_text("Last 24 hours")
    panel.get_by_role("link", name="6h").click()
    expect(panel).to_contain_text("Last 6 hours")
    expect(panel.locator(".tp-history polyline.is-forth")).to_have_count(1)
    panel.get_by_role("link", name="30d").click()
    expect(panel).to_contain_text("Nothing was counted here.")


def test_a_viewer_sees_segments_groups_and_policies_of_what_is_live(
    page: Page, live_portal: str, people: People, network: None
) -> None:
    sign_in(page, live_portal, people.viewer)
    page.goto(f"{live_portal}/t/acme/topology/")
    page.get_by_role("link", name="Logical").click()
    lane = page.get_by_role("region", name=re.compile("corp"))
    expect(lane.get_by_role("button", name="hospital-a").first).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Start a policy"))).to_have_count(0)
    page.get_by_role("searchbox", name="Find on the canvas").fill("office")
    expect(lane.get_by_role("button", name="hospital-a")).to_have_count(0)
    lane.get_by_role("button", name="office").first.click()
    expect(page).to_have_url(re.compile("/network/connectors/.select="))
