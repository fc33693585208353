"""Discovery: what is in a cloud account, asked of the cloud outside any transaction.

On request of a person, and before a plan that writes in a cloud is shown.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from provisioning.core.values.resource import Change, Problem
from provisioning.drivers import find_cloud_address, get_discoverer
from provisioning.drivers.base import CloudCredentials, DriverError
from provisioning.models import CloudAccount
from provisioning.services import lease
from tenants import outbox, vault
from tenants.jobs import TenantJob

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
INVENTORY_LIFETIME = timedelta(minutes=1)
"""For which a plan believes what was found in an account."""
WORKERS_LOST = "The workers that discovered it stopped. Discover the account again, or ask the operator."


class DiscoveryJob(TenantJob[CloudAccount, "dict[str, Any] | DriverError"]):
    """Read what is in an account and keep it; a page that waits is told.

    1. Claim: take the account if its discovery is running and no worker's lease on it runs, by one conditional update
       that raises the lease number. A discovery whose workers died MAX_ATTEMPTS times fails.
    2. Work: ask the cloud, renewing the lease meanwhile.
    3. Record: write what was found, or why nothing was, where the discovery still runs under this lease number.
    """

    def claim(self, account: str) -> CloudAccount | None:
        return _claim_account(account, timezone.now())

    def work(self, account: CloudAccount) -> dict[str, Any] | DriverError:
        with lease.keep_renewed(self.in_scope, account):
            return _discover(account)

    def record(self, account: CloudAccount, outcome: dict[str, Any] | DriverError) -> None:
        claimed = CloudAccount.objects.filter(
            pk=account.pk, discovery=CloudAccount.Discovery.RUNNING, lease_number=account.lease_number
        )
        if isinstance(outcome, DriverError):
            _mark_failed(claimed, f"{outcome.call}: {outcome.message}".removeprefix(": "))
        else:
            claimed.update(
                discovery=CloudAccount.Discovery.DONE,
                discovery_error="",
                discovered_at=timezone.now(),
                inventory=outcome,
                lease_until=None,
            )
        outbox.enqueue("changed", what="account", id=str(account.uid), version=0)

    def record_failure(self, account: CloudAccount, error: Exception) -> None:
        # A bug ends the discovery, where a person sees it, instead of being tried for ever.
        logger.error("discovery of account %s crashed", account.uid, exc_info=error)
        self.record(account, DriverError(f"Internal error: {error!r}"))


def accounts_to_observe(changes: Iterable[Change], now: datetime) -> list[CloudAccount]:
    """Return the accounts in which these changes write, and into which nobody looked for INVENTORY_LIFETIME."""
    found = [find_cloud_address(change.address) for change in changes if change.after is not None]
    written = {(cloud.name, address.account) for cloud, address in filter(None, found)}
    old = Q(discovered_at__isnull=True) | Q(discovered_at__lte=now - INVENTORY_LIFETIME)
    return [
        account
        for account in CloudAccount.objects.filter(old).defer("inventory").order_by("pk")
        if (account.provider, account.account_id) in written
    ]


def observe_accounts(in_scope: Callable[..., Any], accounts: Iterable[CloudAccount]) -> list[Problem]:
    """Look into these accounts now and keep what is there; return a warning for each that does not answer.

    ``in_scope`` calls a function in the tenant's scope (TenantJob.in_scope): nothing is locked while a cloud is asked.
    """
    warnings = []
    for account in accounts:
        outcome = _discover(account)
        if isinstance(outcome, DriverError):
            warnings.append(_not_observed(account, outcome))
        else:
            found = {"inventory": outcome, "discovered_at": timezone.now()}
            in_scope(CloudAccount.objects.filter(pk=account.pk).update, **found)
    return warnings


def _not_observed(account: CloudAccount, error: DriverError) -> Problem:
    known = f"as of {account.discovered_at:%Y-%m-%d %H:%M} UTC" if account.discovered_at else "not known at all"
    message = (
        f"The account {account.name} did not answer ({error.call} {error.code}: {error.message}), so what stands in "
        f"the way there is {known}. Mend its credentials under Cloud accounts and plan again."
    )
    return Problem("account_not_observed", f"accounts/{account.name}", message, severity="warning")


def _discover(account: CloudAccount) -> dict[str, Any] | DriverError:
    try:
        credentials = CloudCredentials(account.account_id, vault.unseal(account.sealed))
        return asdict(get_discoverer(account.provider)(credentials, account.regions))
    except DriverError as error:
        return error


def due_accounts(now: datetime) -> list[str]:
    """Return the accounts whose discovery a worker should take up: the wake-up was lost, or the worker died."""
    running = CloudAccount.objects.filter(discovery=CloudAccount.Discovery.RUNNING).defer("inventory")
    return [str(account.uid) for account in running if account.lease_until is None or lease.has_lapsed(account, now)]


def _claim_account(uid: str, now: datetime) -> CloudAccount | None:
    account = CloudAccount.objects.filter(uid=uid, discovery=CloudAccount.Discovery.RUNNING).first()
    if account is None or (account.lease_owner and account.lease_until and not lease.has_lapsed(account, now)):
        return None
    claimed = CloudAccount.objects.filter(
        pk=account.pk, discovery=CloudAccount.Discovery.RUNNING, lease_number=account.lease_number
    )
    if account.discovery_attempts >= MAX_ATTEMPTS:
        _mark_failed(claimed, WORKERS_LOST)
        outbox.enqueue("changed", what="account", id=uid, version=0)
        return None
    if not claimed.update(**lease.next_lease(now), discovery_attempts=F("discovery_attempts") + 1):
        return None
    account.refresh_from_db()
    return account


def _mark_failed(claimed: QuerySet[CloudAccount], reason: str) -> None:
    claimed.update(discovery=CloudAccount.Discovery.FAILED, discovery_error=reason[:500], lease_until=None)
