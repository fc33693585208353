"""Cloud accounts: credentials go in and never come out; discovery reads what is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from provisioning.core.values.resource import Problem
from provisioning.drivers import CLOUDS
from provisioning.drivers.base import CloudCredentials, DriverError
from provisioning.drivers.cloud import Cloud, CloudField
from provisioning.errors import StateConflict, ValidationFailed
from provisioning.models import CloudAccount
from provisioning.services import lease
from provisioning.services.names import read_name
from tenants import audit, outbox, vault


def add_account(
    *, name: str, provider: str, account_id: str, regions: Sequence[str], credentials: Mapping[str, str]
) -> CloudAccount:
    """Create an account of the cloud ``provider``; ``credentials``: its credential fields by name.

    Raises ValidationFailed where a field breaks the cloud's rules, StateConflict where the name or number is taken.
    """
    cloud = CLOUDS.get(provider)
    if cloud is None:
        names = ", ".join(CLOUDS)
        raise ValidationFailed("Unknown cloud.", [Problem("not_one_of", "provider", f"Choose one of: {names}.")])
    if problem := _field_problem(cloud, cloud.account_id, account_id, cloud.account_id.name):
        raise ValidationFailed("Wrong account id.", [problem])
    name = read_name(name, "account")
    _check_credentials(cloud, credentials)
    account = CloudAccount(
        name=name,
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
    """Set other regions, or put new credentials in place of all old ones; None or {} leaves them as they are."""
    if regions is not None:
        account.regions = list(regions)
    if credentials:
        _check_credentials(CLOUDS[account.provider], credentials)
        account.sealed = vault.seal(credentials)
    account.save(update_fields=["regions", "sealed"])
    audit.record("account.change", kind="cloud-account", object_id=str(account.uid), object_name=account.name)
    return account


def _check_credentials(cloud: Cloud, credentials: Mapping[str, str]) -> None:
    """Raise ValidationFailed with every field that the cloud does not have, or whose value breaks its rule."""
    fields = {field.name: field for field in cloud.credentials}
    problems = [
        Problem("unknown_field", f"credentials.{name}", f"{cloud.label} has no credential “{name}”.")
        for name in credentials
        if name not in fields
    ]
    problems += [
        problem
        for name, field in fields.items()
        if name in credentials and (problem := _field_problem(cloud, field, credentials[name], f"credentials.{name}"))
    ]
    if problems:
        raise ValidationFailed("Wrong credentials.", problems)


def _field_problem(cloud: Cloud, field: CloudField, value: str, path: str) -> Problem | None:
    """Return what is wrong with a field's value; the message never quotes the value, which may be a secret."""
    if field.pattern and not re.fullmatch(field.pattern, value):
        return Problem("wrong_type", path, f"“{field.label}” of {cloud.label} has to be {field.rule}.")
    return None


def request_discovery(account: CloudAccount) -> CloudAccount:
    """Ask a worker to discover what is in the account; the page is told when it is done."""
    account.discovery, account.discovery_error = CloudAccount.Discovery.RUNNING, ""
    account.discovery_attempts, account.lease_owner = 0, ""
    account.lease_until = timezone.now() + lease.WAKE_UP_TIMEOUT
    account.save(update_fields=["discovery", "discovery_error", "discovery_attempts", "lease_owner", "lease_until"])
    outbox.enqueue("discover", account=str(account.uid))
    return account


def credentials_lookup(in_scope: Callable[..., Any]) -> Callable[[str, str], CloudCredentials]:
    """Return how a driver, outside the tenant's scope, gets the credentials of an account by its cloud and id.

    ``in_scope`` calls a function in the tenant's scope (TenantJob.in_scope).
    """

    def find_credentials(provider: str, account_id: str) -> CloudCredentials:
        account = in_scope(CloudAccount.objects.filter(provider=provider, account_id=account_id).first)
        if account is None:
            raise DriverError(
                f"There is no {CLOUDS[provider].label} account {account_id} any more. Add it again and retry.",
                code="account_missing",
                permanent=True,
            )
        return CloudCredentials(account_id, vault.unseal(account.sealed))

    return find_credentials
