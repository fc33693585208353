"""The rules of a draft in a browser: found, edited in place, moved, cloned, disabled; those of live are read."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import look, sign_in
from tests.people import People
from tests.portal.sample_network import create_sample_network

pytestmark = pytest.mark.browser


def policy(name: str, position: int, *rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    ends = {"segments": ["corp"], "from": ["prod"], "to": ["dev"]}
    return {"name": name, "position": position, **ends, "rules": list(rules), **more}


def rule(name: str, action: str, *ports: str) -> dict[str, Any]:
    flow = {"protocol": "tcp", "ports": list(ports)} if ports else {"protocol": "any"}
    return {"name": name, "action": action, **flow, "reject": name != "ssh", "description": f"INC-{name}"}


@pytest.fixture
def rules_page(live_portal: str, people: People, tenant_scope: Any, page: Page) -> Page:
    from provisioning.services.drafts import editing, lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        create_sample_network(draft)
        web, ssh = rule("web", "allow", "443"), rule("ssh", "deny", "22")
        editing.add_object(draft, "policies", policy("front", 10, web, ssh, description="CHG-2291 go-live"))
        editing.add_object(draft, "policies", policy("late", 20, rule("all", "deny")))
        editing.add_object(draft, "policies", policy("never", 30, rule("again", "allow", "443")))
    sign_in(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/design/{draft.uid}/rules/")
    return page


def names(page: Page) -> list[str]:
    return page.locator(".rl-name").all_inner_texts()


def choose(page: Page, row: str, action: str) -> None:
    page.get_by_role("button", name=f"Actions for {row}").click()
    page.get_by_role("button", name=action).locator("visible=true").click()


def test_rules_are_found_by_words_action_and_what_deserves_a_look(rules_page: Page) -> None:
    page = rules_page
    assert names(page) == ["front, web", "front, ssh", "late, all", "never, again"]
    expect(page.locator("[data-policy]", has_text="INC-ssh")).to_contain_text("silently")
    look(page, "rules")
    page.get_by_role("searchbox", name="Search rules").fill("CHG-2291 ssh")
    page.keyboard.press("Enter")
    expect(page.locator(".rl-name")).to_have_text(["front, ssh"])
    page.get_by_role("link", name="Clear filters").click()
    page.locator(".rl-quick", has_text="Never match").click()
    expect(page.locator(".rl-name")).to_have_text(["never, again"])
    expect(page.get_by_text("1 of 4 rules")).to_be_visible()


def test_a_policy_is_edited_in_its_place(rules_page: Page) -> None:
    page = rules_page
    page.get_by_role("link", name="late, all").click()
    form = page.locator(".rl-edit")
    expect(form).to_be_visible()
    look(page, "rules-edit")
    form.get_by_label("Description").fill("for the auditors")
    form.get_by_role("button", name="Save to draft").click()
    expect(page.locator(".rl-edit")).to_have_count(0)
    expect(page.get_by_text("for the auditors")).to_be_visible()


def test_the_exit_that_a_policy_chooses_is_shown_and_edited(
    rules_page: Page, people: People, tenant_scope: Any
) -> None:
    from provisioning.models import Draft
    from provisioning.services.drafts import editing

    page = rules_page
    way_out = {"name": "way-out", "kind": "internet-exit", "exchange": "eu", "attachments": [{"segment": "corp"}]}
    with tenant_scope(people.acme):
        draft = Draft.objects.get()
        editing.add_object(draft, "connectors", way_out)
        to_internet = policy("out", 40, rule("all", "allow"), to=["internet"], via="way-out")
        editing.add_object(draft, "policies", to_internet)
    page.reload()
    expect(page.locator("[data-policy]", has_text="out, all")).to_contain_text("by way-out")
    page.get_by_role("link", name="out, all").click()
    expect(page.locator(".rl-edit").get_by_label("Internet exit").first).to_be_attached()
    look(page, "rules-via")


def test_a_field_that_the_form_shows_for_several_protocols_is_kept(
    rules_page: Page, people: People, tenant_scope: Any
) -> None:
    from provisioning.models import Draft
    from provisioning.services.drafts import editing
    from provisioning.snapshots import queries

    page, both = rules_page, {"name": "dns", "action": "allow", "protocol": ["tcp", "udp"]}
    with tenant_scope(people.acme):
        draft = Draft.objects.get(name="rollout")
        added = editing.add_object(draft, "policies", policy("names", 40, {**both, "source_ports": ["53"]}))
    page.reload()
    page.get_by_role("link", name="names, dns").click()
    form = page.locator(".rl-edit")
    expect(form.get_by_label("Source ports")).to_have_value("53")
    form.get_by_label("Description").fill("kept")
    form.get_by_role("button", name="Save to draft").click()
    expect(page.locator(".rl-edit")).to_have_count(0)
    with tenant_scope(people.acme):
        stored = queries.get_object(queries.draft_snapshot(draft.uid), "policies", added.uid)
    assert (stored.body["description"], stored.body["rules"][0]["source_ports"]) == ("kept", ["53"])


def test_a_rule_is_narrowed_to_icmp_types_source_ports_and_dscp(rules_page: Page) -> None:
    page = rules_page
    page.get_by_role("link", name="late, all").click()
    form = page.locator(".rl-edit")
    expect(form.get_by_label("Source ports")).to_be_hidden()
    form.get_by_label("Protocol").select_option("udp")
    form.get_by_label("Source ports").fill("ntp, 1024-65535")
    expect(form.get_by_label("ICMP types")).to_be_hidden()
    form.get_by_label("DSCP").fill("EF")
    look(page, "rules-narrowed")
    form.get_by_role("button", name="Save to draft").click()
    expect(page.get_by_text("udp from source port 123, 1024-65535 with DSCP EF")).to_be_visible()
    page.get_by_role("link", name="late, all").click()
    form.get_by_label("Protocol").select_option("icmp")
    form.get_by_label("ICMP types").fill("13, echo-request")
    form.get_by_label("DSCP").fill("")
    form.get_by_role("button", name="Save to draft").click()
    expect(page.get_by_text("icmp/echo-request, timestamp-request", exact=True)).to_be_visible()


def test_rules_move_by_key_and_policies_at_the_edge_of_theirs(rules_page: Page) -> None:
    page = rules_page
    page.locator(".rl-table [data-policy]").first.focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".rl-name")).to_have_text(["front, ssh", "front, web", "late, all", "never, again"])
    choose(page, "late, all", "Move up")
    expect(page.locator(".rl-name")).to_have_text(["late, all", "front, ssh", "front, web", "never, again"])
    page.locator(".rl-table [data-policy]").last.drag_to(page.locator(".rl-table [data-policy]").first)
    expect(page.locator(".rl-name")).to_have_text(["never, again", "late, all", "front, ssh", "front, web"])


def sections(page: Page) -> list[str]:
    """Return the headings and the names of the rules under them, from top to bottom."""
    return page.locator(".rl-table :is(.rl-tier b, .rl-name)").all_inner_texts()


def test_a_policy_takes_the_tier_of_the_section_that_it_comes_into(rules_page: Page) -> None:
    page = rules_page
    choose(page, "late, all", "Move policy to baseline")
    expect(page.locator(".rl-tier b")).to_have_text(["Standard", "Baseline"])
    assert sections(page) == ["Standard", "front, web", "front, ssh", "never, again", "Baseline", "late, all"]
    page.locator(".rl-table [data-policy]").first.focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".rl-tier b")).to_have_text(["Mandatory", "Standard", "Baseline"])
    assert sections(page)[:4] == ["Mandatory", "front, web", "front, ssh", "Standard"]
    page.locator("[data-policy]", has_text="never, again").drag_to(page.locator(".rl-tier", has_text="Baseline"))
    expect(page.locator(".rl-tier b")).to_have_text(["Mandatory", "Baseline"])
    assert sections(page)[-3:] == ["Baseline", "never, again", "late, all"]
    page.get_by_label("Tier", exact=True).select_option("mandatory")
    expect(page.locator(".rl-name")).to_have_text(["front, web", "front, ssh"])
    look(page, "rules-tiers")


def test_the_mode_of_one_rule_and_of_many_is_changed(rules_page: Page) -> None:
    page = rules_page
    choose(page, "front, ssh", "Monitor rule")
    expect(page.locator(".rl-mode")).to_have_text(["enforce", "monitor", "enforce", "enforce"])
    page.get_by_role("checkbox", name="Select front, web").check()
    page.get_by_role("checkbox", name="Select late, all").check()
    bar = page.get_by_role("region", name="Selected rules")
    expect(bar.get_by_text("2 rules selected")).to_be_visible()
    bar.get_by_role("button", name="Disable").click()
    expect(page.locator(".rl-mode")).to_have_text(["disabled", "monitor", "disabled", "enforce"])
    look(page, "rules-mode")
    page.get_by_label("Mode", exact=True).select_option("monitor")
    expect(page.locator(".rl-name")).to_have_text(["front, ssh"])
    page.get_by_role("link", name="Clear filters").click()
    expect(page.locator(".rl-mode")).to_have_count(4)
    page.get_by_role("button", name="Undo the last edit").click()
    expect(page.locator(".rl-mode")).to_have_text(["enforce", "monitor", "enforce", "enforce"])


def test_a_policy_is_cloned_disabled_and_its_rules_removed(rules_page: Page) -> None:
    page = rules_page
    choose(page, "late, all", "Clone policy")
    expect(page.locator(".rl-name")).to_have_count(5)
    assert names(page)[3] == "late copy, all"
    choose(page, "late copy, all", "Disable policy")
    expect(page.locator("tr.is-off .rl-name")).to_have_text(["late copy, all"])
    choose(page, "late copy, all", "Remove rule")
    choose(page, "front, ssh", "Remove rule")
    expect(page.locator(".rl-name")).to_have_text(["front, web", "late, all", "never, again"])
    expect(page.get_by_text("3 rules")).to_be_visible()
    choose(page, "never, again", "Remove rule")
    expect(page.locator(".rl-quick", has_text="Never match")).to_have_count(0)


def test_a_viewer_reads_the_rules_of_live(
    live_portal: str, people: People, tenant_scope: Any, page: Page, rules_page: Page
) -> None:
    from provisioning.models import Draft
    from provisioning.services import plans, runs

    with tenant_scope(people.acme):
        plan = plans.create_plan(Draft.objects.get())
        runs.provision_plan(plan, plan.digest)
    page.context.clear_cookies()
    sign_in(page, live_portal, people.viewer)
    page.goto(f"{live_portal}/t/acme/rules/")
    assert names(page) == ["front, web", "front, ssh", "late, all", "never, again"]
    expect(page.get_by_role("heading", name="Default actions")).to_be_visible()
    expect(page.get_by_role("button", name="Actions for front, web")).to_have_count(0)
    expect(page.get_by_role("link", name="Edit in a draft")).to_have_count(0)
    page.context.clear_cookies()
    sign_in(page, live_portal, people.secadmin)
    page.goto(f"{live_portal}/t/acme/rules/")
    page.get_by_role("link", name="Edit in a draft").click()
    expect(page.get_by_role("heading", name="New draft")).to_be_visible()
