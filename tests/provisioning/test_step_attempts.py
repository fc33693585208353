"""Attempts of a step: which errors are tried again, and what the log says of each."""

from __future__ import annotations

import pytest
from django.utils import timezone

from provisioning.drivers.base import Done, DriverContext, DriverError, Waiting
from provisioning.models import Step
from provisioning.services import steps
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import create_planned_run

pytestmark = pytest.mark.django_db(databases=["default"], transaction=True)


@pytest.mark.parametrize("permanent", [True, False])
def test_temporary_errors_are_retried_and_permanent_ones_are_not(
    people: People, monkeypatch: pytest.MonkeyPatch, permanent: bool
) -> None:
    _, by_address = create_planned_run(people.acme)
    calls: list[str] = []

    class Throttled:
        def apply(self, change: object, context: DriverContext) -> Done | Waiting:
            calls.append("call")
            raise DriverError("Rate exceeded", call="ec2.CreateX", code="RequestLimitExceeded", permanent=permanent)

    monkeypatch.setattr(steps, "get_driver", lambda name: Throttled())
    pk = by_address["exchange/eu"].pk
    for _ in range(10):
        with scope(people.acme):
            Step.objects.filter(pk=pk, state="waiting").update(due_at=timezone.now())
        steps.StepJob(people.acme).run(pk)
    with scope(people.acme):
        step = Step.objects.get(pk=pk)
    assert step.state == "failed" and step.error["call"] == "ec2.CreateX"
    assert len(calls) == (1 if permanent else steps.MAX_FAILURES)
    assert [entry["attempt"] for entry in step.log] == list(range(1, len(calls) + 1))
    assert {entry["note"] for entry in step.log} == {"ec2.CreateX RequestLimitExceeded: Rate exceeded"}


def test_the_log_of_a_step_has_one_entry_for_waits_for_the_same(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, by_address = create_planned_run(people.acme)
    outcomes: list[Done | Waiting] = [Waiting(1, "node a"), Waiting(1, "node a"), Waiting(1, "node b"), Done({}, {})]

    class Slow:
        def apply(self, change: object, context: DriverContext) -> Done | Waiting:
            return outcomes.pop(0)

    monkeypatch.setattr(steps, "get_driver", lambda name: Slow())
    pk = by_address["exchange/eu"].pk
    while outcomes:
        with scope(people.acme):
            Step.objects.filter(pk=pk, state="waiting").update(due_at=timezone.now())
        steps.StepJob(people.acme).run(pk)
    with scope(people.acme):
        log = Step.objects.get(pk=pk).log
    assert [(entry["first"], entry["attempt"], entry["outcome"], entry["note"]) for entry in log] == [
        (1, 2, "waiting", "node a"),
        (3, 3, "waiting", "node b"),
        (4, 4, "done", ""),
    ]
