"""Pages of designs, connectors, plans and runs: access, content and problems."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tenants.actor import Actor, acting
from tests.people import People
from tests.portal.sample_network import create_sample_network

SignIn = Callable[[Any], Client]
LISTS = ("design", "connectors", "plans", "runs")


@pytest.fixture
def open_draft(people: People, tenant_scope: Callable[..., Any]) -> Any:
    """Return an open draft of acme with a network."""
    from provisioning.services.drafts import lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        create_sample_network(draft)
    return draft


@pytest.fixture
def plan(people: People, tenant_scope: Callable[..., Any], open_draft: Any) -> Any:
    """Return netadmin's plan of the draft."""
    from provisioning.services import plans
    from tenants.actor import Actor, acting

    with tenant_scope(people.acme), acting(Actor(people.netadmin.email)):
        return plans.create_plan(open_draft)


def text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(f"/t/acme/{path}")
    assert answer.status_code == status, path
    return answer.content.decode()


def test_empty_lists_explain_their_purpose(people: People, sign_in: SignIn) -> None:
    client = sign_in(people.netadmin)
    for name in LISTS:
        assert "cw-empty" in text(client, f"{name}/"), name
    assert "The filters hide all of them" in text(client, "connectors/?search=nothing")


def test_pages_of_a_draft_are_404_to_a_stranger(people: People, sign_in: SignIn, open_draft: Any) -> None:
    client = sign_in(people.stranger)
    for path in [f"{name}/" for name in LISTS] + [f"design/{open_draft.uid}/", "connectors/new/"]:
        text(client, path, 404)


def test_a_viewer_reads_a_draft_and_changes_nothing(people: People, sign_in: SignIn, open_draft: Any) -> None:
    client = sign_in(people.viewer)
    page = text(client, f"design/{open_draft.uid}/")
    assert "site-prod" in page and "data-connect" not in page and "new-policy" not in page
    text(client, "connectors/new/", 403)
    assert client.post(f"/t/acme/design/{open_draft.uid}/restore/").status_code == 403


def test_a_draft_is_shown_in_every_view(people: People, sign_in: SignIn, open_draft: Any) -> None:
    client = sign_in(people.netadmin)
    assert "only in this draft" in text(client, f"design/{open_draft.uid}/")
    assert "No rule yet" in text(client, f"design/{open_draft.uid}/rules/")
    assert "name: site-prod" in text(client, f"design/{open_draft.uid}/yaml/")
    assert "site-dev" in text(client, f"connectors/?draft={open_draft.uid}")
    assert "Where it attaches" in text(client, f"connectors/new/?draft={open_draft.uid}&kind=lab-site")


def test_the_list_of_connectors_is_paged_and_searches_attachments(
    people: People, sign_in: SignIn, tenant_scope: Callable[..., Any], open_draft: Any
) -> None:
    from provisioning.services.drafts import editing

    with tenant_scope(people.acme):
        uids = {row.name: row.uid for kind in ("segments", "groups") for row in rows(open_draft, kind)}
        for number in range(60):
            attachments = [
                {"segment": "corp", "group": "dev", "prefixes": [f"10.9.{number}.0/24", f"10.10.{number}.0/24"]}
            ]
            attachments += [{"segment": "corp", "prefixes": [f"10.11.{number}.0/24"]}] if number == 7 else []
            body = {"name": f"branch-{number:02}", "kind": "lab-site", "exchange": "eu", "attachments": attachments}
            editing.add_object(open_draft, "connectors", body)
    client, here = sign_in(people.netadmin), f"connectors/?draft={open_draft.uid}"
    page = text(client, here)
    assert page.count("branch-") == 50 and "62 attached" in page and 'rel="prev"' not in page
    lines = re.search(r"branch-07.*?<ul class=\"ls-attached\">(.*?)</ul>", page, re.S)
    assert lines and lines[1].count("<li>") == 2 and "10.9.7.0/24, 10.10.7.0/24" in lines[1]
    after = re.search(r'href="([^"]+)"[^>]*>After|rel="next" href="([^"]+)"', page)
    assert after
    later = text(client, "connectors/" + (after[1] or after[2]).replace("&amp;", "&"))
    assert later.count("branch-") == 10 and "site-prod" in later and 'rel="next"' not in later
    results = text(client, f"{here}&group={uids['prod']}&segment={uids['corp']}")
    assert "site-prod" in results and "branch-" not in results and "1 found" in results
    assert text(client, f"{here}&search=BRANCH-5").count("branch-5") == 10
    assert "branch-" not in text(client, f"connectors/?draft={'z' * 36}"), "it is no draft's, so live is shown"


def test_the_list_of_rules_is_paged_by_policy_in_the_order_of_evaluation(
    people: People, sign_in: SignIn, tenant_scope: Callable[..., Any], open_draft: Any
) -> None:
    from provisioning.services.drafts import editing

    with tenant_scope(people.acme):
        for number in range(51):
            allow = {"action": "allow", "protocol": "tcp"}
            rules = [{**allow, "name": "web", "ports": ["443"]}, {**allow, "name": "ssh", "ports": ["22"]}]
            body = {
                "name": f"rule-{number:02}",
                "position": 1000 - number,
                "segments": ["corp"],
                "from": ["prod"],
                "to": ["dev"],
            }
            editing.add_object(open_draft, "policies", {**body, "rules": rules})
    client = sign_in(people.netadmin)
    page = text(client, f"design/{open_draft.uid}/rules/")
    assert "rule-50" in page and ">rule-00<" not in page and page.index("rule-50") < page.index("rule-49")
    after = re.search(r'href="([^"]+)" rel="next"', page)
    assert after
    assert "rule-00" in text(client, f"design/{open_draft.uid}/rules/{after[1].replace('&amp;', '&')}")


def rows(draft: Any, kind: str) -> Any:
    from provisioning.snapshots import queries

    return queries.list_objects(queries.snapshot_of_draft(draft), kind)


def test_the_url_holds_the_selection(people: People, sign_in: SignIn, tenant_scope: Any, open_draft: Any) -> None:
    from provisioning.snapshots import queries

    with tenant_scope(people.acme):
        uid = next(
            row.uid
            for row in queries.list_objects(queries.draft_snapshot(open_draft.uid), "groups")
            if row.name == "prod"
        )
    client = sign_in(people.netadmin)
    assert 'aria-label="Group prod"' in text(client, f"design/{open_draft.uid}/?select=groups/{uid}")
    reach = text(client, f"design/{open_draft.uid}/reach/?from={uid}")
    assert "What can prod reach?" in reach and "no rule lets it through" in reach
    assert "It is not in the live network yet." in text(client, f"design/{open_draft.uid}/reach/?from={uid}&view=live")


CUT = {"from": ["prod"], "to": ["dev"], "segment": "corp", "protocol": "tcp", "ports": ["443"]}


def test_a_plan_offers_provision_with_its_digest_to_people_with_the_permission(
    people: People, sign_in: SignIn, plan: Any
) -> None:
    page = text(sign_in(people.netadmin), f"plans/{plan.uid}/")
    assert plan.digest in page and 'id="provision"' in page
    assert "Your role may not provision" in text(sign_in(people.viewer), f"plans/{plan.uid}/")


def test_a_stale_plan_gives_its_reasons_and_cannot_be_provisioned(
    people: People, sign_in: SignIn, tenant_scope: Callable[..., Any], plan: Any
) -> None:
    from provisioning.services.drafts import editing

    with tenant_scope(people.acme):
        editing.add_object(plan.draft, "groups", {"name": "later"})
    page = text(sign_in(people.netadmin), f"plans/{plan.uid}/")
    assert "The draft rollout was edited." in page and "Plan again" in page
    assert 'id="provision"' not in page


def test_a_plan_whose_assertion_fails_shows_what_it_would_do_and_the_packet_that_breaks_it(
    people: People, sign_in: SignIn, tenant_scope: Callable[..., Any], plan: Any
) -> None:
    from provisioning.services import plans
    from provisioning.services.drafts import editing

    with tenant_scope(people.acme):
        never = {"name": "never", "from": "prod", "to": "dev", "segment": "corp", "expect": "reachable"}
        editing.add_object(plan.draft, "assertions", never)
        failed = plans.create_plan(plan.draft)
        address = failed.steps[0]["address"]
    page = text(sign_in(people.netadmin), f"plans/{failed.uid}/")
    assert "This plan cannot be provisioned" in page and "1 of 1 fail" in page
    assert "Trace this packet in the draft" in page and f"version=drafts%2F{plan.draft.uid}" in page
    assert address in page and "an assertion fails" in page
    assert 'id="provision"' not in page


def test_a_risky_plan_asks_for_the_name_of_the_network_and_a_reason(
    people: People, sign_in: SignIn, tenant_scope: Callable[..., Any], plan: Any
) -> None:
    client = sign_in(people.netadmin)
    assert 'id="confirm-name"' not in text(client, f"plans/{plan.uid}/")
    with tenant_scope(people.acme):
        # Another plan with that: what has a digest stays as it is.
        plan.pk, plan.uid, plan.reachability = None, uuid4(), {**plan.reachability, "blocked": [CUT]}
        plan.save()
    page = text(client, f"plans/{plan.uid}/")
    assert 'id="confirm-name"' in page and 'pattern="acme"' in page and " now is cut." in page


def test_nobody_approves_their_own_plan(people: People, sign_in: SignIn, plan: Any) -> None:
    people.acme.requires_approval = True
    people.acme.save()
    assert "another person has to approve it" in text(sign_in(people.netadmin), f"plans/{plan.uid}/")
    assert "approve/" in text(sign_in(people.secadmin), f"plans/{plan.uid}/")


def test_a_failed_step_shows_cause_call_and_remedy(
    people: People, sign_in: SignIn, tenant_scope: Callable[..., Any], plan: Any
) -> None:
    from provisioning.models import PlannedChange, Run, Step

    with tenant_scope(people.acme):
        run = Run(plan=plan, revision=1, state="partial", author=people.netadmin.email)
        run.save()
        error = {
            "call": "ec2.CreateVpnConnection",
            "code": "UnauthorizedOperation",
            "message": "You are not authorized.",
        }
        for order, state in enumerate(("done", "failed", "skipped")):
            what = {"action": "create", "address": f"aws/1/eu-central-1/{order}", "kind": "aws.vpn-connection"}
            Step(
                run=run,
                change=PlannedChange.objects.bulk_create([PlannedChange(order=order, **what)])[0],
                order=order,
                **what,
                state=state,
                error=error if state == "failed" else None,
                log=[{"first": 1, "attempt": 3, "at": "2026-11-30T12:00:00+00:00", "outcome": state, "note": "slow"}],
            ).save()
    page = text(sign_in(people.netadmin), f"runs/{run.uid}/")
    assert "You are not authorized." in page and "1 of 3 steps failed." in page
    assert "3 entries, newest first" in page and "slow" in page
    assert "Allow ec2.CreateVpnConnection to the credentials of this cloud account, then retry." in page
    assert "retry/" in page and "retry/" not in text(sign_in(people.viewer), f"runs/{run.uid}/")
    assert "1 failed" in text(sign_in(people.viewer), "runs/")


def test_live_is_not_called_newer_while_its_run_goes_on(
    people: People, sign_in: SignIn, tenant_scope: Callable[..., Any], plan: Any
) -> None:
    from provisioning.models import Run
    from provisioning.services import runs
    from provisioning.services.drafts import lifecycle

    with tenant_scope(people.acme), acting(Actor(people.netadmin.email)):
        lifecycle.create_draft("next")
        run = runs.provision_plan(plan, plan.digest)
    client = sign_in(people.netadmin)
    page = text(client, "design/")
    assert "Revision 1 is being provisioned" in page and f"runs/{run.uid}/" in page and "Out of date" not in page
    assert "changed:run from:body" in text(client, "draft-bar/"), "the bar does not hear that the run has ended"
    assert "throttle:" not in text(client, "runs/"), "htmx drops what comes last within a throttle"
    with tenant_scope(people.acme):
        Run.objects.filter(pk=run.pk).update(state=Run.State.SUCCEEDED)
    assert "Out of date: live is revision 1" in text(client, "design/")
    assert "changed:run" not in text(client, "draft-bar/")
