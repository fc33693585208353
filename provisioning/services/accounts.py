"""Cloud accounts: credentials go in and never come out; discovery reads what is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from django.db import IntegrityError, transaction
from django.utils import timezone

from provisioning.core.values.resource import Problem
from provisioning.drivers import get_discoverer
from provisioning.drivers.base import CloudCredentials, DriverError
from provisioning.errors import StateConflict, ValidationFailed
from provisioning.models import CloudAccount
from tenants import audit, outbox, vault
from tenants.models import Tenant
from tenants.scope import scope


def add_account(
    *, name: str, provider: str, account_id: str, regions: Sequence[str], credentials: Mapping[str, str]
) -> CloudAccount:
    """A new account; ``credentials``: access_key_id and secret_access_key, or role_arn and external_id beside them."""
    if provider != "aws":
        raise ValidationFailed("Unknown cloud.", [Problem("not_one_of", "provider", "Choose aws.")])
    if not re.fullmatch(r"[0-9]{12}", account_id):
        raise ValidationFailed(
            "Wrong account id.", [Problem("wrong_type", "account_id", "An AWS account id has 12 digits.")]
        )
    if not name.strip():
        raise ValidationFailed("An account needs a name.", [Problem("required", "name", "Give the account a name.")])
    account = CloudAccount(
        name=name.strip(),
        provider=provider,
        account_id=account_id,
        regions=list(regions),
        sealed=vault.seal(credentials),
    )
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError as error:
        raise StateConflict("There is an account with that name or number already.") from error
    audit.record("account.add", kind="cloud-account", object_id=str(account.uid), object_name=account.name)
    return account


def update_account(
    account: CloudAccount, *, regions: Sequence[str] | None, credentials: Mapping[str, str] | None
) -> CloudAccount:
    """Other regions, or new credentials in place of the old ones."""
    if regions is not None:
        account.regions = list(regions)
    if credentials:
        account.sealed = vault.seal(credentials)
    account.save(update_fields=["regions", "sealed"])
    audit.record("account.change", kind="cloud-account", object_id=str(account.uid), object_name=account.name)
    return account


def request_discovery(account: CloudAccount) -> CloudAccount:
    """Begin to look what is in the account; a worker does it, the page is told when it is done."""
    account.discovery, account.discovery_error = "running", ""
    account.save(update_fields=["discovery", "discovery_error"])
    outbox.enqueue("discover", account=str(account.uid))
    return account


def run_discovery(tenant: Tenant, uid: str) -> None:
    """Carry discovery out; calls the cloud outside any transaction."""
    with scope(tenant):
        account = CloudAccount.objects.filter(uid=uid).first()
        if account is None:
            return
        credentials = CloudCredentials(account.account_id, vault.unseal(account.sealed))
    try:
        inventory, error = asdict(get_discoverer(account.provider)(credentials, account.regions)), ""
    except DriverError as failure:
        inventory, error = None, f"{failure.call}: {failure.message}".removeprefix(": ")
    with scope(tenant):
        found = CloudAccount.objects.filter(uid=uid)
        if inventory is None:
            found.update(discovery="failed", discovery_error=error[:500])
        else:
            found.update(discovery="done", discovery_error="", discovered_at=timezone.now(), inventory=inventory)
        outbox.enqueue("changed", what="account", id=uid, version=0)


def credentials_lookup(tenant: Tenant) -> Callable[[str], CloudCredentials]:
    """How a driver asks for the credentials of an account of this tenant, outside the scope."""

    def find(account_id: str) -> CloudCredentials:
        with scope(tenant):
            account = CloudAccount.objects.filter(account_id=account_id).first()
        if account is None:
            raise DriverError(
                f"There is no cloud account {account_id} any more. Add it again and retry.",
                code="account_missing",
                permanent=True,
            )
        return CloudCredentials(account_id, vault.unseal(account.sealed))

    return find
