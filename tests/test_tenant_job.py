"""Background jobs: in which phase the tenant's scope is open, and what becomes of errors."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import OperationalError, connection

from tenants.jobs import TenantJob
from tenants.scope import ScopeError, current_tenant
from tests.people import People

pytestmark = pytest.mark.django_db(transaction=True)


class NotingJob(TenantJob[str, str]):
    """Notes what it does; ``work`` does what it is given."""

    def __init__(self, people: People, work: Callable[[NotingJob], str]) -> None:
        super().__init__(people.acme)
        self.notes: list[str] = []
        self.act = work

    def claim(self, thing: str) -> str | None:
        self.notes.append(f"claim {thing} of {current_tenant().slug}")
        return thing or None

    def work(self, claim: str) -> str:
        return self.act(self)

    def record(self, claim: str, outcome: str) -> None:
        self.notes.append(f"record {outcome} of {claim} of {current_tenant().slug}")


class CarefulJob(NotingJob):
    def record_failure(self, claim: str, error: Exception) -> None:
        self.notes.append(f"{error} of {claim} of {current_tenant().slug}")


def without_scope(job: NotingJob) -> str:
    with pytest.raises(ScopeError):
        current_tenant()
    assert not connection.in_atomic_block
    return job.in_scope(lambda: f"a look at {current_tenant().slug}")


def failing(job: NotingJob) -> str:
    raise ValueError("a failure")


def test_a_job_claims_and_records_in_scope_and_works_outside(people: People) -> None:
    job = NotingJob(people, without_scope)
    job.run("thing")
    assert job.notes == ["claim thing of acme", "record a look at acme of thing of acme"]


def test_a_job_with_nothing_to_claim_ends(people: People) -> None:
    job = NotingJob(people, failing)
    job.run("")
    assert job.notes == ["claim  of acme"]


def test_an_error_is_raised_unless_the_job_records_it(people: People) -> None:
    with pytest.raises(ValueError, match="a failure"):
        NotingJob(people, failing).run("thing")
    job = CarefulJob(people, failing)
    job.run("thing")
    assert job.notes[1:] == ["a failure of thing of acme"]


def test_a_database_that_was_away_is_no_failure_of_the_work(people: People) -> None:
    def losing_the_database(job: NotingJob) -> str:
        raise OperationalError("the connection is closed")

    job = CarefulJob(people, losing_the_database)
    with pytest.raises(OperationalError):
        job.run("thing")
    assert job.notes == ["claim thing of acme"]
