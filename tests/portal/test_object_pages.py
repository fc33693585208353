"""Pages of every kind: editable in a draft, read-only in live and revisions, lossless forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from portal.pages.objects import KIND_PAGES
from provisioning.core import intent
from provisioning.models import Draft, Item, Overlay, Version
from provisioning.selectors import cursors, draft_changes
from provisioning.snapshots import queries
from tests.browser import sign_in as browse
from tests.people import People
from tests.portal.sample_network import add_every_kind, create_sample_network

SignIn = Callable[[Any], Client]


@pytest.fixture
def open_draft(people: People, tenant_scope: Callable[..., Any]) -> tuple[Any, dict[str, str]]:
    """Return (open draft of acme with objects of every kind, kind → uid of one object)."""
    from provisioning.services.drafts import lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        names = create_sample_network(draft)
        return draft, {"exchanges": names["eu"], "groups": names["prod"], **add_every_kind(draft)}


def text(client: Client, path: str) -> str:
    answer = client.get(f"/t/acme/{path}")
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_every_kind_of_the_contract_has_its_page() -> None:
    assert set(KIND_PAGES) == set(intent.KINDS)


def test_each_kind_is_listed_and_opened_in_a_draft(people: People, sign_in: SignIn, open_draft: Any) -> None:
    draft, uids = open_draft
    client = sign_in(people.netadmin)
    for kind, uid in uids.items():
        page = text(client, f"design/{draft.uid}/objects/{kind}/?select={uid}")
        assert "Save to draft" in page and "only in this draft" in page, kind
        form = text(client, f"design/{draft.uid}/objects/{kind}/?select=new")
        assert "Add to draft" in form or KIND_PAGES[kind].wizard


def test_a_url_with_a_cursor_of_another_list_shows_the_first_page(
    people: People, sign_in: SignIn, open_draft: Any
) -> None:
    draft, _ = open_draft
    client = sign_in(people.netadmin)
    for where, name in (
        (f"design/{draft.uid}/objects/groups/?", "prod"),
        (f"design/{draft.uid}/rules/?", "allow"),
        (f"connectors/?draft={draft.uid}&", "site-prod"),
    ):
        for cursor in ("nobody", cursors.encode_cursor(cursors.query_fingerprint("groups", "-name", "", {}), ("a", 0))):
            assert name in text(client, f"{where}cursor={cursor}"), where


def test_a_viewer_sees_objects_with_links_and_no_form(people: People, sign_in: SignIn, open_draft: Any) -> None:
    draft, uids = open_draft
    page = text(sign_in(people.viewer), f"design/{draft.uid}/objects/policies/?select={uids['policies']}")
    assert "Save to draft" not in page and "10.99.0.0/16" in page
    assert f"/objects/prefix-lists/?select={uids['prefix-lists']}" in page


def test_live_and_old_revisions_are_read_only(people: People, sign_in: SignIn, open_draft: Any) -> None:
    client = sign_in(people.netadmin)
    for path in ("network/shares/", "revisions/0/objects/nat-rules/?select=new"):
        page = text(client, path)
        assert KIND_PAGES[path.split("/")[-2]].empty_text in page and "data-edit" not in page
    assert client.get("/t/acme/network/unicorns/").status_code == 404


def test_what_is_missing_in_a_tenant_is_said_beside_its_navigation(people: People, sign_in: SignIn) -> None:
    client = sign_in(people.netadmin)
    for path, why in (("network/unicorns/", "no page at this address"), ("revisions/999/objects/", "no revision 999")):
        answer = client.get(f"/t/acme/{path}")
        page = answer.content.decode()
        assert answer.status_code == 404 and why in page and 'href="/t/acme/design/"' in page


def test_a_list_can_show_only_the_drafts_changes(people: People, sign_in: SignIn, open_draft: Any) -> None:
    draft, _ = open_draft
    client = sign_in(people.netadmin)
    assert "colo-fra" in text(client, f"design/{draft.uid}/objects/connectors/?changed=1")
    assert "The filters hide all of them" in text(client, f"design/{draft.uid}/objects/groups/?search=nobody")


def test_what_a_draft_removed_is_found_by_a_query_and_a_page_of_it(
    people: People, sign_in: SignIn, tenant_scope: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft_changes, "MAX_REMOVED", 2)
    with tenant_scope(people.acme):
        for number in range(4):
            item = Item.objects.create(kind="groups", key=f"old-{number}")
            Version(item=item, kind="groups", name=item.key, body={"name": item.key, "description": ""}, first=1).save()
        draft = Draft(name="removing", base_revision=1)
        draft.save()
        for item in Item.objects.order_by("key")[1:]:
            Overlay(draft=draft, item=item, kind="groups", name=item.key, body=None).save()
        added = Item.objects.create(kind="groups", key="new")
        Overlay(draft=draft, item=added, kind="groups", name="new", body={"name": "new", "description": ""}).save()
        counts = draft_changes.count_objects(queries.snapshot_of_draft(draft))
    assert counts["groups"] == (2, 4) and counts["segments"] == (0, 0)
    path = f"design/{draft.uid}/objects/groups/"
    page = text(sign_in(people.netadmin), path)
    assert ">old-1</del>" in page and ">old-2</del>" in page and ">old-3</del>" not in page and "and 1 more" in page
    page = text(sign_in(people.netadmin), f"{path}?search=old-3&changed=1")
    assert ">old-3</del>" in page and ">old-1</del>" not in page and ">old-0</a>" not in page
    assert ">new</a>" in text(sign_in(people.netadmin), f"{path}?changed=1&ordering=-name")


def test_policies_are_listed_in_the_order_of_evaluation_or_by_name(
    people: People, sign_in: SignIn, open_draft: Any, tenant_scope: Callable[..., Any]
) -> None:
    from provisioning.services.drafts import editing

    draft, _ = open_draft
    with tenant_scope(people.acme):
        for name, position in (("aaa", 900), ("zzz", 1)):
            body = {"name": name, "segments": ["corp"], "from": ["prod"], "to": ["any"], "position": position}
            rules: list[Any] = [{"name": action, "action": action, "protocol": "tcp"} for action in ("deny", "allow")]
            editing.add_object(draft, "policies", {**body, "rules": rules})
    client = sign_in(people.netadmin)
    path = f"design/{draft.uid}/objects/policies/"
    page = text(client, path)
    assert page.index(">zzz</a>") < page.index(">aaa</a>") and 'aria-sort="ascending"' in page
    row = page[page.index(">zzz</a>") : page.index("</tr>", page.index(">zzz</a>"))]
    assert row.index("Deny") < row.index("Allow")
    page = text(client, f"{path}?ordering=name")
    assert page.index(">aaa</a>") < page.index(">zzz</a>")
    assert text(client, f"{path}?ordering=rubbish") and text(client, f"{path}?ordering=-position")


@pytest.mark.browser
def test_saving_an_unchanged_form_changes_nothing(
    live_portal: str, people: People, tenant_scope: Callable[..., Any], page: Page, open_draft: Any
) -> None:
    """The form holds every field of an object, so that nothing is lost by saving it."""
    from provisioning.snapshots import queries

    draft, uids = open_draft
    browse(page, live_portal, people.netadmin)
    for kind, uid in uids.items():
        with tenant_scope(people.acme):
            before = queries.get_object(queries.draft_snapshot(draft.uid), kind, uid).body
        page.goto(f"{live_portal}/t/acme/design/{draft.uid}/objects/{kind}/?select={uid}")
        with page.expect_response(lambda answer: answer.request.method == "PATCH") as answered:
            page.get_by_role("button", name="Save to draft").click()
        assert answered.value.status == 200, (kind, answered.value.text())
        with tenant_scope(people.acme):
            assert queries.get_object(queries.draft_snapshot(draft.uid), kind, uid).body == before, kind


@pytest.mark.browser
def test_a_share_is_created_by_keyboard_and_a_problem_is_shown_at_its_field(
    live_portal: str, people: People, page: Page, open_draft: Any
) -> None:
    draft, _ = open_draft
    browse(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/design/{draft.uid}/objects/shares/")
    page.keyboard.press("n")
    panel = page.get_by_role("complementary", name="New share")
    expect(panel.get_by_role("textbox", name="Name")).to_be_focused()
    page.keyboard.type("staff-records")
    for side, segment, prefix in (("Side A", "corp", "10.1.0.0/24"), ("Side B", "partner", "10.9.0.0/33")):
        part = panel.get_by_role("group", name=side)
        part.get_by_role("combobox", name="Segment").press_sequentially(segment)
        page.keyboard.press("Enter")
        expect(part.get_by_role("listitem").first).to_have_text(segment)
        part.get_by_label("Prefixes").fill(prefix)
    page.keyboard.press("Control+s")
    wrong = panel.get_by_role("group", name="Side B").get_by_label("Prefixes")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_be_focused()
    wrong.fill("10.9.0.0/25")
    page.keyboard.press("Control+s")
    expect(page.get_by_role("row", name="staff-records")).to_contain_text("new")
    page.get_by_role("link", name="staff-records").click()
    expect(page.get_by_role("complementary", name="staff-records")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#ob-panel")).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(page.get_by_role("row", name="staff-records")).to_have_count(0)


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 900, 1440])
def test_no_page_of_objects_scrolls_sideways(
    live_portal: str, people: People, page: Page, open_draft: Any, width: int
) -> None:
    draft, uids = open_draft
    browse(page, live_portal, people.netadmin)
    page.set_viewport_size({"width": width, "height": 800})
    for kind in ("policies", "connectors"):
        for query in ("", f"?select={uids[kind]}"):
            page.goto(f"{live_portal}/t/acme/design/{draft.uid}/objects/{kind}/{query}")
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (kind, query)


def test_a_group_shows_its_members_and_a_connector_its_groups_with_how(
    people: People, sign_in: SignIn, tenant_scope: Callable[..., Any], open_draft: Any
) -> None:
    from provisioning.services import plans
    from provisioning.services.drafts import editing

    draft, uids = open_draft
    with tenant_scope(people.acme):
        everything = {"name": "everything", "contains": ["prod"], "selector": "env=test"}
        group = editing.add_object(draft, "groups", everything).uid
        editing.patch_object(draft, "connectors", uids["connectors"], {"labels": {"env": "test"}})
        plan = plans.create_plan(draft)
    client = sign_in(people.viewer)
    page = text(client, f"plans/{plan.uid}/")
    assert "who joins and leaves by labels" in page and "because env=test" in page
    page = text(client, f"design/{draft.uid}/objects/groups/?select={group}")
    assert "2 by labels, 1 through groups" in page and "env=test, through prod" in page
    page = text(client, f"design/{draft.uid}/?select=connectors/{uids['connectors']}")
    assert "by name" in page and "env=test, through prod" in page
    page = text(client, f"connectors/?draft={draft.uid}&group={group}")
    assert "site-prod" in page and "colo-fra" in page and "site-dev" not in page
    assert "everything, prod" in page
    page = text(client, f"connectors/?draft={draft.uid}&label=env%3Dtest")
    assert "colo-fra" in page and "site-prod" not in page
