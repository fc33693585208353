"""Discovery as a job: it ends with its cause, and a worker that died is replaced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from provisioning.drivers.aws import session
from provisioning.drivers.aws.inventory import CloudInventory
from provisioning.drivers.base import CloudCredentials, DriverError
from provisioning.models import CloudAccount
from provisioning.services import cloud_accounts, discovery, lease
from tenants.scope import scope
from tests.people import People

pytestmark = pytest.mark.django_db(databases=["default"], transaction=True)
Discover = Callable[[Any, Any], CloudInventory]


@pytest.fixture
def account(people: People) -> CloudAccount:
    secret = {"access_key_id": "lab", "secret_access_key": "lab"}
    with scope(people.acme):
        account = cloud_accounts.add_account(
            name="aws", provider="aws", account_id="123456789012", regions=["eu-central-1"], credentials=secret
        )
        return cloud_accounts.request_discovery(account)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Discover], None]:
    """Let discovery of a cloud be this function."""
    return lambda discover: monkeypatch.setattr(discovery, "get_discoverer", lambda provider: discover)


def found(*arguments: Any) -> CloudInventory:
    return CloudInventory("123456789012", (), {})


def crash(*arguments: Any) -> CloudInventory:
    raise KeyError("Regions")


def test_a_discovery_that_crashes_ends_with_its_cause(
    people: People, account: CloudAccount, answer: Callable[[Discover], None]
) -> None:
    answer(crash)
    discovery.DiscoveryJob(people.acme).run(str(account.uid))
    assert state(people, account) == ("failed", "Internal error: KeyError('Regions')")


def test_a_discovery_whose_worker_died_is_taken_up_and_the_dead_worker_s_answer_refused(
    people: People, account: CloudAccount, answer: Callable[[Discover], None]
) -> None:
    job = discovery.DiscoveryJob(people.acme)
    first = job.in_scope(job.claim, str(account.uid))
    assert first is not None
    with scope(people.acme):
        assert discovery.due_accounts(timezone.now()) == []
        assert job.claim(str(account.uid)) is None
        CloudAccount.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert discovery.due_accounts(timezone.now()) == [str(account.uid)]
    answer(found)
    job.run(str(account.uid))
    job.in_scope(job.record, first, DriverError("too late"))
    assert state(people, account) == ("done", "")


def test_a_discovery_whose_wake_up_was_lost_is_woken_again(people: People, account: CloudAccount) -> None:
    with scope(people.acme):
        assert discovery.due_accounts(timezone.now()) == []
        assert discovery.due_accounts(timezone.now() + lease.WAKE_UP_TIMEOUT) == [str(account.uid)]
        CloudAccount.objects.update(lease_until=None)  # as an older release left it
        assert discovery.due_accounts(timezone.now()) == [str(account.uid)]


def test_a_discovery_that_ends_its_workers_fails(people: People, account: CloudAccount) -> None:
    job = discovery.DiscoveryJob(people.acme)
    for _ in range(discovery.MAX_ATTEMPTS):
        assert job.in_scope(job.claim, str(account.uid)) is not None
        with scope(people.acme):
            CloudAccount.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert job.in_scope(job.claim, str(account.uid)) is None
    assert state(people, account) == ("failed", discovery.WORKERS_LOST)


def test_a_region_that_aws_cannot_have_is_an_error_of_the_driver() -> None:
    credentials = CloudCredentials("123456789012", {"access_key_id": "lab", "secret_access_key": "lab"})
    with pytest.raises(DriverError, match="no client for region “eu west”") as raised:
        session.connect(credentials, "eu west")
    assert raised.value.permanent


def state(people: People, account: CloudAccount) -> tuple[str, str]:
    with scope(people.acme):
        account.refresh_from_db()
    return account.discovery, account.discovery_error
