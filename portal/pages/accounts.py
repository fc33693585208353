"""Cloud accounts: credentials go in and are never shown; discovery reads what is there."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.refusals import catch_refusals
from provisioning.models import CloudAccount
from provisioning.services import accounts as service
from provisioning.snapshots import queries

STATES = {"never": "unchecked", "running": "running", "done": "done", "failed": "failed"}


@tenant_page("accounts")
def accounts(request: PageRequest) -> HttpResponse:
    problems = []
    if request.method == "POST":
        with catch_refusals() as done:
            account = service.add_account(
                name=request.POST.get("name", ""),
                provider="aws",
                account_id=request.POST.get("account_id", "").strip(),
                regions=request.POST.get("regions", "").replace(",", " ").split(),
                credentials=_posted_credentials(request),
            )
            service.request_discovery(account)
        if done:
            messages.success(request, f"Added {account.name}. Looking what is in it now.")
            return redirect("cloud-accounts", request.tenant.slug)
        problems = done.problems
    used = {
        row.body["settings"].get("vpc_id"): row for row in queries.list_objects(queries.live_snapshot(), "connectors")
    }
    found = [
        {
            "account": account,
            "state": STATES.get(account.discovery, account.discovery),
            "networks": [
                {**vpc, "connector": used.get(vpc["id"])} for vpc in (account.inventory or {}).get("vpcs", [])
            ],
            "regions": Counter(vpc.get("region") for vpc in (account.inventory or {}).get("vpcs", [])),
            "errors": (account.inventory or {}).get("errors", {}),
        }
        for account in CloudAccount.objects.all()
    ]
    part = "#list" if request.headers.get("HX-Target") == "accounts" else ""
    return render(
        request,
        f"pages/accounts.html{part}",
        {"found": found, "problems": problems, "sent": request.POST, "adding": bool(problems) or "add" in request.GET},
        status=422 if problems else 200,
    )


@require_POST
@tenant_page("accounts")
def discover(request: PageRequest, uid: UUID) -> HttpResponse:
    account = get_object_or_404(CloudAccount, uid=uid)
    service.request_discovery(account)
    messages.info(request, f"Looking what is in {account.name}. The list says when it is done.")
    return redirect("cloud-accounts", request.tenant.slug)


@require_POST
@tenant_page("accounts")
def credentials(request: PageRequest, uid: UUID) -> HttpResponse:
    """New keys in place of the old ones, which are gone then."""
    account = get_object_or_404(CloudAccount, uid=uid)
    regions = request.POST.get("regions", "").replace(",", " ").split()
    with catch_refusals(request) as done:
        service.update_account(account, regions=regions or None, credentials=_posted_credentials(request) or None)
    if done:
        messages.success(request, f"Changed {account.name}.")
    return redirect("cloud-accounts", request.tenant.slug)


def _posted_credentials(request: PageRequest) -> dict[str, str]:
    names = ("access_key_id", "secret_access_key", "role_arn", "external_id")
    return {name: value for name in names if (value := request.POST.get(name, "").strip())}
