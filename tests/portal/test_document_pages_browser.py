"""The YAML, CSV and conflict pages in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import sign_in
from tests.people import People
from tests.portal.sample_network import add_every_kind, create_sample_network

pytestmark = pytest.mark.browser


@pytest.fixture
def open_draft(
    live_portal: str, people: People, tenant_scope: Callable[..., Any], page: Page
) -> tuple[Any, dict[str, str], str]:
    """Return (open draft with a network, kind → uid of one object, base URL of the draft's pages)."""
    from provisioning.services.drafts import lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        create_sample_network(draft)
        uids = add_every_kind(draft)
    sign_in(page, live_portal, people.netadmin)
    return draft, uids, f"{live_portal}/t/acme/design/{draft.uid}/"


def body(people: People, tenant_scope: Callable[..., Any], draft: Any, kind: str, uid: str) -> dict[str, Any]:
    from provisioning.snapshots import queries

    with tenant_scope(people.acme):
        results: dict[str, Any] = queries.get_object(queries.draft_snapshot(draft.uid), kind, uid).body
    return results


def test_the_document_is_validated_by_line_and_saved(
    page: Page, people: People, tenant_scope: Any, open_draft: Any
) -> None:
    draft, uids, address = open_draft
    page.goto(f"{address}yaml/")
    text = page.get_by_label("The network as YAML")
    before = text.input_value()
    text.fill(before.replace("10.1.0.0/16", "10.1.0.0/33"))
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("not a prefix")
    line = next(number for number, text_line in enumerate(before.split("\n"), 1) if "10.1.0.0/16" in text_line)
    expect(page.get_by_role("button", name="prefix-lists/clinics/entries[0].prefix")).to_contain_text(f"line {line}")
    text.fill(before.replace("10.1.0.0/16", "10.1.0.0/17"))
    page.get_by_role("button", name="Show changes").click()
    expect(page.get_by_role("heading", name="Saving it: 1 to change")).to_be_visible()
    with page.expect_navigation():
        page.get_by_role("button", name="Save to draft").click()
    entries = body(people, tenant_scope, draft, "prefix-lists", uids["prefix-lists"])["entries"]
    assert [entry["prefix"] for entry in entries] == ["10.1.0.0/17"]


def test_a_table_is_corrected_by_row_and_imported(
    page: Page, people: People, tenant_scope: Any, open_draft: Any
) -> None:
    draft, uids, address = open_draft
    page.goto(f"{address}import/prefix-lists/")
    table = page.get_by_label("or paste it")
    table.fill("name,prefix,ge,le\nclinics,10.1.0.0/16,,\nlabs,10.44.0.0/33,,\n")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("row", name="3 prefix")).to_contain_text("“10.44.0.0/33” is not a prefix")
    table.fill("name,prefix,ge,le\nclinics,10.1.0.0/16,,\nlabs,10.44.0.0/16,,\n")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", name="1 to add, 1 to change")).to_be_visible()
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_role("row", name="labs")).to_contain_text("10.44.0.0/16")
    assert body(people, tenant_scope, draft, "prefix-lists", uids["prefix-lists"])["entries"][0]["ge"] is None


def test_conflicts_are_decided_by_field(page: Page, people: People, tenant_scope: Any, open_draft: Any) -> None:
    from provisioning.services import plans, runs
    from provisioning.services.drafts import editing, lifecycle

    first, uids, address = open_draft
    uid = uids["prefix-lists"]
    with tenant_scope(people.acme):
        plan = plans.create_plan(first)
        runs.provision_plan(plan, plan.digest)
        my_draft, their_draft = lifecycle.create_draft("mine"), lifecycle.create_draft("theirs")
        editing.patch_object(my_draft, "prefix-lists", uid, {"description": "mine", "name": "all-clinics"})
        editing.patch_object(their_draft, "prefix-lists", uid, {"description": "theirs"})
        first.refresh_from_db()
    live(people, tenant_scope, their_draft)
    page.goto(address.replace(str(first.uid), str(my_draft.uid)))
    page.get_by_role("button", name="Review", exact=True).click()
    expect(page.get_by_role("heading", name="Rebase mine")).to_be_visible()
    field = page.get_by_role("group", name="description")
    expect(field).to_contain_text("theirs")
    field.get_by_label("Keep mine").check()
    expect(page.get_by_text("All decided")).to_be_visible()
    page.get_by_role("button", name="Rebase on revision 2").click()
    page.wait_for_url(f"**/design/{my_draft.uid}/")
    results = body(people, tenant_scope, my_draft, "prefix-lists", uid)
    assert (results["description"], results["name"]) == ("mine", "all-clinics")


def test_a_rebase_to_an_invalid_network_leads_to_the_objects_and_is_solved_by_choosing(
    page: Page, people: People, tenant_scope: Any, open_draft: Any
) -> None:
    from provisioning.services import plans, runs
    from provisioning.services.drafts import editing, lifecycle

    first, _, address = open_draft
    with tenant_scope(people.acme):
        editing.add_object(first, "groups", {"name": "printers"})
        first.refresh_from_db()
        plan = plans.create_plan(first)
        runs.provision_plan(plan, plan.digest)
        my_draft, their_draft = lifecycle.create_draft("mine"), lifecycle.create_draft("theirs")
        segment = queried_uid(first, "segments", "corp")
        printers = queried_uid(first, "groups", "printers")
        policy = {
            "segments": [segment],
            "from": [printers],
            "to": ["any"],
            "rules": [{"name": "all", "action": "allow"}],
        }
        editing.add_object(my_draft, "policies", {"name": "printing", **policy})
        editing.remove_object(their_draft, "groups", printers)
        first.refresh_from_db()
    live(people, tenant_scope, their_draft)
    page.goto(address.split("/design/")[0] + "/design/")
    page.get_by_role("row", name="mine").get_by_role("button", name="Review").click()
    expect(page.get_by_role("heading", name="Rebase would create an invalid network")).to_be_visible()
    expect(page.get_by_role("link", name="printing in this draft")).to_be_visible()
    policy_card = page.get_by_role("region", name="policy printing")
    policy_card.get_by_label("Take live").check()
    page.get_by_role("region", name="group printers").get_by_label("Take live").check()
    page.get_by_role("button", name="Rebase on revision 2").click()
    page.wait_for_url(f"**/design/{my_draft.uid}/")


def queried_uid(draft: Any, kind: str, name: str) -> str:
    from provisioning.snapshots import queries

    rows = queries.list_objects(queries.draft_snapshot(draft.uid), kind)
    return next(row.uid for row in rows if row.name == name)


def live(people: People, tenant_scope: Any, draft: Any) -> None:
    """Make the draft the live revision; its run counts as ended."""
    from provisioning.models import Run
    from provisioning.services import plans, runs

    with tenant_scope(people.acme):
        Run.objects.update(state=Run.State.SUCCEEDED)
        plan = plans.create_plan(draft)
        runs.provision_plan(plan, plan.digest)


RULEBASE = "rule,who,whom,svc,what\nweb,10.1.0.0/16,any,https,allow\nold,10.1.0.0/16,any,proprietary,allow\n"


def test_files_are_tried_their_columns_mapped_and_what_could_not_be_said_is_shown(
    page: Page, people: People, tenant_scope: Any, open_draft: Any
) -> None:
    from provisioning.snapshots import queries

    draft, _, address = open_draft
    page.goto(f"{address}yaml/")
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_label("Format").select_option("Firewall rules (CSV)")
    page.get_by_label("Segment of what names none").select_option("corp")
    page.locator("#im-file").set_input_files({"name": "rules.csv", "mimeType": "text/csv", "buffer": RULEBASE.encode()})
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("row", name="the whole table")).to_contain_text("No column is read as action")
    for field, column in (("Source", "who"), ("Destination", "whom"), ("Service", "svc"), ("Action", "what")):
        page.get_by_label(field, exact=True).select_option(column)
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("heading", name="2. What they change: 1 to add")).to_be_visible()
    row = page.get_by_role("row", name="proprietary")
    expect(row).to_contain_text("rules.csv row 3")
    expect(row).to_contain_text("Left out")
    with page.expect_navigation():
        page.get_by_role("button", name="Import into the draft").click()
    with tenant_scope(people.acme):
        names = {policy.name for policy in queries.list_objects(queries.draft_snapshot(draft.uid), "policies")}
    assert "any to any + internet" in names


def test_a_file_that_cannot_be_read_is_refused_with_its_line(page: Page, open_draft: Any) -> None:
    _, _, address = open_draft
    page.goto(f"{address}import/")
    page.get_by_label("or paste one").fill('resource "alkira_segment" {{\n')
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("pasted text:1")
