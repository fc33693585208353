"""The review of a plan in a browser: what blocks it, and what a risky one asks for."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser import look, sign_in
from tests.people import People
from tests.portal.sample_network import create_sample_network

pytestmark = pytest.mark.browser

ASSERTION = {"name": "prod reaches dev", "from": "prod", "to": "dev", "segment": "corp", "expect": "reachable"}
CUT = {"from": ["prod"], "to": ["dev"], "segment": "corp", "protocol": "tcp", "ports": ["443"]}


def test_review_of_a_failing_assertion_leads_to_its_plan_and_to_the_trace_of_the_packet(
    live_portal: str, people: People, tenant_scope: Any, page: Page
) -> None:
    from provisioning.services.drafts import editing, lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        create_sample_network(draft)
        editing.add_object(draft, "assertions", ASSERTION)
    sign_in(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/design/{draft.uid}/")
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("heading", name="Plan for rollout")).to_be_visible()
    expect(page.get_by_role("button", name="Provision")).to_have_attribute("aria-disabled", "true")
    look(page, "failed")
    page.get_by_role("link", name="Trace this packet in the draft").click()
    expect(page.get_by_role("heading", name="Trace")).to_be_visible()


def test_a_risky_plan_is_provisioned_only_with_the_name_and_a_reason(
    live_portal: str, people: People, tenant_scope: Any, page: Page
) -> None:
    from provisioning.models import Revision
    from provisioning.services import plans
    from provisioning.services.drafts import lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        create_sample_network(draft)
        plan = plans.create_plan(draft)
        # Another plan with that: what has a digest stays as it is.
        plan.pk, plan.uid, plan.reachability = None, uuid4(), {**plan.reachability, "blocked": [CUT]}
        plan.save()
    sign_in(page, live_portal, people.netadmin)
    page.goto(f"{live_portal}/t/acme/plans/{plan.uid}/")
    look(page, "risky")
    page.get_by_label("Reason").fill("CAB approved it")
    page.get_by_label("Change ticket").fill("CHG-7")
    page.get_by_label("Type acme to confirm").fill("globex")
    page.get_by_role("button", name="Provision").click()
    assert page.get_by_label("Type acme to confirm").evaluate("field => field.validity.patternMismatch")
    page.get_by_label("Type acme to confirm").fill("acme")
    with page.expect_navigation(url="**/runs/**"):
        page.get_by_role("button", name="Provision").click()
    with tenant_scope(people.acme):
        revision = Revision.objects.get()
        assert (revision.reason, revision.change_ticket) == ("CAB approved it", "CHG-7")
    page.goto(f"{live_portal}/t/acme/revisions/")
    expect(page.get_by_role("row", name="Revision 1")).to_contain_text("CHG-7 CAB approved it")
