"""Discovery: what is in a cloud account, asked of the cloud outside any transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.utils import timezone

from provisioning.drivers import get_discoverer
from provisioning.drivers.base import CloudCredentials, DriverError
from provisioning.models import CloudAccount
from tenants import outbox, vault
from tenants.jobs import TenantJob


@dataclass(frozen=True, slots=True)
class _AccountAccess:
    """Where to look, and with which credentials."""

    uid: str
    provider: str
    regions: list[str]
    credentials: CloudCredentials


class DiscoveryJob(TenantJob[_AccountAccess, "dict[str, Any] | DriverError"]):
    """Read what is in an account and keep it; a page that waits is told."""

    def claim(self, account: str) -> _AccountAccess | None:
        row = CloudAccount.objects.filter(uid=account).first()
        if row is None:
            return None
        credentials = CloudCredentials(row.account_id, vault.unseal(row.sealed))
        return _AccountAccess(account, row.provider, row.regions, credentials)

    def work(self, access: _AccountAccess) -> dict[str, Any] | DriverError:
        try:
            return asdict(get_discoverer(access.provider)(access.credentials, access.regions))
        except DriverError as error:
            return error

    def record(self, access: _AccountAccess, outcome: dict[str, Any] | DriverError) -> None:
        account = CloudAccount.objects.filter(uid=access.uid)
        if isinstance(outcome, DriverError):
            reason = f"{outcome.call}: {outcome.message}".removeprefix(": ")
            account.update(discovery=CloudAccount.Discovery.FAILED, discovery_error=reason[:500])
        else:
            done = CloudAccount.Discovery.DONE
            account.update(discovery=done, discovery_error="", discovered_at=timezone.now(), inventory=outcome)
        outbox.enqueue("changed", what="account", id=access.uid, version=0)
