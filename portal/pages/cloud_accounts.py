"""Cloud accounts: credentials go in and are never shown; discovery reads what is there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from portal.api.etags import entity_tag
from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.discovered_networks import discovered_networks
from portal.pages.form_etags import check_form_etag
from portal.pages.refusals import catch_refusals
from provisioning.drivers import CLOUDS
from provisioning.drivers.cloud import Cloud
from provisioning.models import CloudAccount
from provisioning.services import cloud_accounts as service
from provisioning.snapshots import queries

DISCOVERY_STYLES = {"never": "unchecked", "running": "running", "done": "done", "failed": "failed"}
"""State of discovery → the state's style on pages."""


@tenant_page("accounts")
def accounts(request: PageRequest) -> HttpResponse:
    """The accounts and their networks; ``?add=NAME`` shows the form of a cloud, the first one where it names none."""
    problems = []
    cloud = _chosen_cloud(request.POST.get("provider") or request.GET.get("add", ""))
    if request.method == "POST":
        with catch_refusals() as outcome:
            account = service.add_account(
                name=request.POST.get("name", ""),
                provider=cloud.name,
                account_id=request.POST.get("account_id", "").strip(),
                regions=_posted_regions(request),
                credentials=_posted_credentials(request, cloud),
            )
            service.request_discovery(account)
        if outcome:
            messages.success(request, f"Added {account.name}. Scanning it now.")
            return redirect("cloud-accounts", request.tenant.slug)
        problems = outcome.problems
    connectors = queries.list_objects(queries.live_snapshot(), "connectors")
    context = {
        "rows": [_account_row(account, connectors) for account in CloudAccount.objects.all()],
        "problems": problems,
        "sent": request.POST,
        "cloud": cloud,
        "clouds": CLOUDS.values(),
        "adding": bool(problems) or "add" in request.GET,
    }
    part = "#list" if request.headers.get("HX-Target") == "accounts" else ""
    return render(request, f"pages/cloud_accounts.html{part}", context, status=422 if problems else 200)


@require_POST
@tenant_page("accounts")
def discover(request: PageRequest, uid: UUID) -> HttpResponse:
    account = get_object_or_404(CloudAccount, uid=uid)
    service.request_discovery(account)
    messages.info(request, f"Scanning {account.name}. The list shows when the scan is done.")
    return redirect("cloud-accounts", request.tenant.slug)


@require_POST
@tenant_page("accounts")
def credentials(request: PageRequest, uid: UUID) -> HttpResponse:
    """Put new credentials in place of all old ones, and other regions; what is left empty stays."""
    account = get_object_or_404(CloudAccount.objects.select_for_update(), uid=uid)
    posted = _posted_credentials(request, CLOUDS[account.provider])
    with catch_refusals(request) as outcome:
        check_form_etag(request, _changeable(account), account.name, "cloud-account", uid)
        service.update_account(account, regions=_posted_regions(request) or None, credentials=posted or None)
    if outcome:
        messages.success(request, f"Changed {account.name}.")
    return redirect("cloud-accounts", request.tenant.slug)


def _chosen_cloud(name: str) -> Cloud:
    return CLOUDS.get(name) or next(iter(CLOUDS.values()))


def _posted_regions(request: PageRequest) -> list[str]:
    return request.POST.get("regions", "").replace(",", " ").split()


def _posted_credentials(request: PageRequest, cloud: Cloud) -> dict[str, str]:
    """Return the cloud's credential fields that are not empty."""
    return {field.name: value for field in cloud.credentials if (value := request.POST.get(field.name, "").strip())}


def _changeable(account: CloudAccount) -> list[Any]:
    """Return what the form changes; a scan that ends meanwhile takes nothing from it."""
    return [account.regions, account.sealed]


def _account_row(account: CloudAccount, connectors: list[queries.StoredObject]) -> dict[str, Any]:
    return {
        "account": account,
        "etag": entity_tag(_changeable(account)),
        "cloud": CLOUDS[account.provider],
        "kind": next(iter(CLOUDS[account.provider].connector_settings)),
        "state": DISCOVERY_STYLES[account.discovery],
        "networks": discovered_networks(account, connectors),
        "errors": account.inventory.get("errors", {}),
    }
