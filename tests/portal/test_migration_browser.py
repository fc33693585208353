"""A network moves in from other systems: imported on the page, mended, asked, kept safe, provisioned; packets agree."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import look, sign_in
from tests.core.translators.translating import SOURCE_FILES, SOURCES
from tests.people import People
from tests.system.clients import LabCommands

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("key", SOURCE_FILES)
def test_files_of_each_format_are_tried_and_then_imported(
    key: str, live_portal: str, people: People, tenant_scope: Callable[..., Any], page: Page
) -> None:
    from provisioning.services.drafts import lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("move")
    sign_in(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/design/{draft.uid}/import/")
    page.get_by_label("Format").select_option(key)
    page.locator("#im-file").set_input_files([SOURCES / name for name in SOURCE_FILES[key]])
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile(r"What could not be said as it is: \d"))).to_be_visible()
    expect(page.get_by_role("region", name="What could not be said").get_by_role("row").nth(1)).to_be_visible()
    look(page, f"import-{key}")
    checked = page.get_by_role("heading", name="What they change").inner_text()
    page.get_by_role("button", name="Import into the draft").click()
    page.wait_for_url(f"{live_portal}/t/acme/design/{draft.uid}/objects/**")
    with tenant_scope(people.acme):
        draft.refresh_from_db()
        [edit] = draft.edits.all()
        assert f": {len(edit.changes)} to add" in checked


SITES = {
    "vrfs": {"results": [{"name": "corp"}]},
    "sites": {
        "results": [
            {"name": "amsterdam", "facility": "AM5", "region": {"name": "eu-central-1"}},
            {"name": "boston", "facility": "BX1", "region": {"name": "us-east-1"}},
        ]
    },
    "prefixes": {
        "results": [
            {"prefix": "10.1.0.0/24", "vrf": {"name": "corp"}, "site": {"name": "amsterdam"}, "role": {"name": "web"}},
            {"prefix": "10.3.0.0/24", "vrf": {"name": "corp"}, "site": {"name": "boston"}, "role": {"name": "lab"}},
            {
                "prefix": "10.2.0.0/24",
                "vrf": {"name": "corp"},
                "site": {"name": "boston"},
                "role": {"name": "database"},
            },
            {"prefix": "10.4.0.0/24", "vrf": {"name": "corp"}, "site": None},
        ]
    },
}
RULES = """Position,Title,From Zone,To Zone,Source,Destination,Service,Action,Ticket,Application
10,query,web,database,any,any,tcp/5432,allow,CHG-1234,
20,surf,web,untrust,any,any,http;https,allow,CHG-7,
30,mail,lab,database,any,any,any,allow,,smtp
"""
PACKETS = {
    ("10.2.0.1", 5432): True,
    ("10.2.0.1", 22): False,
    ("10.3.0.1", 5432): False,
    ("198.51.100.10", 443): True,
    ("198.51.100.10", 80): False,  # a rule of the standard tier allows it; the firewall does not
}
"""(address, port) → whether what amsterdam sends there arrives."""


@pytest.mark.packets
def test_a_network_moves_in_and_packets_agree_with_what_was_asked(
    live_lab: dict[str, str], live_portal: str, people: People, tenant_scope: Callable[..., Any], page: Page
) -> None:
    from provisioning.services.drafts import editing, lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("move")
    tenant, where = f"{live_portal}/t/acme/", f"{live_portal}/t/acme/design/{draft.uid}/"
    sign_in(page, live_portal, people.netadmin)
    import_sites(page, where)
    import_rules(page, where)
    with tenant_scope(people.acme):
        for kind, body in WAY_OUT.items():
            editing.add_object(draft, kind, body)

    # Mended in the draft: the prefix without a site gets one, and what no rule allows is denied.
    page.goto(f"{where}objects/connectors/")
    page.get_by_role("link", name="boston").click()
    page.locator("[name='attachments[0].prefixes']").fill("10.3.0.0/24\n10.4.0.0/24")
    save(page)
    page.goto(f"{where}objects/segments/")
    page.get_by_role("link", name="corp").click()
    page.locator(".fm-object").get_by_label("Default action").select_option("deny")
    save(page)

    # Two hundred questions at once.
    page.goto(f"{tenant}traces/?version=drafts/{draft.uid}")
    flows = [f"amsterdam@10.1.0.{host} -> 10.2.0.{host} tcp {port}" for host in range(1, 101) for port in (5432, 22)]
    page.get_by_label("Flows", exact=True).fill("\n".join(flows))
    page.get_by_role("button", name="Trace all").click()
    expect(page.locator("main")).to_contain_text("100 of 200 flows arrive")

    add_mandatory_policy(page, where)

    # A label puts a subnet into a group, which its plan says.
    page.goto(f"{where}objects/connectors/")
    page.get_by_role("link", name="boston").click()
    page.locator("[name='attachments[0].labels']").fill("role=web")
    save(page)
    provision(page)

    lab = LabCommands(live_lab, "acme")
    for (address, port), arrives in PACKETS.items():
        assert lab.connects("amsterdam", address, port) == arrives, f"{address} on {port}"
        page.goto(f"{tenant}trace/?from=amsterdam&to={address}&protocol=tcp&port={port}")
        expect(page.locator("main")).to_contain_text("Delivered" if arrives else "Denied")


def import_sites(page: Page, where: str) -> None:
    """Import sites of NetBox; a prefix at no site is told."""
    page.goto(f"{where}import/")
    page.get_by_label("Format").select_option("netbox")
    page.get_by_label("or paste one").fill(json.dumps(SITES))
    page.get_by_role("button", name="Check", exact=True).click()
    left_out = page.get_by_role("region", name="What could not be said").get_by_role("row", name="10.4.0.0/24")
    expect(left_out).to_contain_text("Add it to the connector that it is behind.")
    page.get_by_role("button", name="Import into the draft").click()
    page.wait_for_url(f"{where}objects/**")


def import_rules(page: Page, where: str) -> None:
    """Import a rulebase, one column of which has to be chosen; a rule by application is told."""
    page.goto(f"{where}import/")
    page.get_by_label("Format").select_option("firewall-csv")
    page.get_by_label("Segment of what names none").select_option("corp")
    page.get_by_label("or paste one").fill(RULES)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_label("Comment")).to_have_value("")
    page.get_by_label("Comment").select_option("ticket")
    page.get_by_role("button", name="Check again").click()
    left_out = page.get_by_role("region", name="What could not be said").get_by_role("row", name="mail")
    expect(left_out).to_contain_text("Left out")
    page.get_by_role("button", name="Import into the draft").click()
    page.wait_for_url(f"{where}objects/**")


def add_mandatory_policy(page: Page, where: str) -> None:
    """Let nobody reach the internet but through the firewall, whatever other policies say."""
    page.goto(f"{where}rules/?select=new")
    form = page.locator(".fm-object")
    form.get_by_label("Name", exact=True).fill("way-out")
    expect(form.get_by_label("Tier")).to_have_value("standard")
    form.get_by_label("Tier").select_option("mandatory")
    for field, name in (("Segments", "corp"), ("From", "any"), ("To", "internet")):
        pick(form, field, name)
    form.get_by_label("Action").select_option("inspect")
    pick(form, "Through", "fw")
    form.get_by_label("Protocol").select_option("any")
    look(page, "migration-policy")
    form.get_by_role("button", name="Add to draft").click()
    expect(page.locator(".rl-name").first).to_contain_text("way-out")


def provision(page: Page) -> None:
    page.get_by_role("button", name="Review", exact=True).click()
    reach = page.locator("#reach")
    expect(reach).to_contain_text("any connector can now reach the internet in corp on tcp/443, through fw.")
    joined = "boston in corp with 10.3.0.0/24, 10.4.0.0/24 joins web because role=web"
    expect(page.locator("main")).to_contain_text(joined)
    look(page, "migration-plan")
    page.get_by_label("Reason").fill("the move")
    page.get_by_label("Type acme to confirm").fill("acme")
    page.get_by_role("button", name=re.compile(r"Provision \d+ steps?")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Succeeded", timeout=30_000)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save to draft").click()
    expect(page.get_by_text("Saved in this draft.")).to_be_attached()


def pick(form: Locator, field: str, name: str) -> None:
    """Choose an object by name in a field of references."""
    form.get_by_role("combobox", name=field, exact=True).fill(name)
    form.get_by_role("listbox", name=field, exact=True).get_by_role("option", name=name).first.click()


WAY_OUT = {
    "connectors": {
        "name": "exit",
        "kind": "internet-exit",
        "exchange": "eu-central-1",
        "attachments": [{"segment": "corp"}],
    },
    "services": {
        "name": "fw",
        "product": "linux-firewall",
        "segments": ["corp"],
        "placements": [{"exchange": "eu-central-1", "min_instances": 1, "max_instances": 1}],
        "settings": {"default": "deny", "rules": [{"action": "allow", "protocol": "tcp", "ports": ["443"]}]},
    },
}
