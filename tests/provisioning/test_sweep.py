"""The sweep looks at each tenant by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from portal.celery import app
from provisioning import tasks
from tenants.scope import current_tenant
from tests.people import People

pytestmark = pytest.mark.django_db


@pytest.fixture
def tasks_run_where_they_are_sent() -> Iterator[None]:
    """As at a worker, what a task raises does not reach whoever sent it."""
    app.conf.update(task_always_eager=True, task_eager_propagates=False)
    yield
    app.conf.update(task_always_eager=False)


def test_a_failure_for_one_tenant_stops_the_sweep_of_no_other(
    people: People, tasks_run_where_they_are_sent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept = []

    def due_steps(now: datetime) -> list[int]:
        swept.append(current_tenant().slug)
        if current_tenant() == people.acme:
            raise ValueError("a failure")
        return [7]

    woken: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks.steps, "due_steps", due_steps)
    monkeypatch.setattr(tasks, "wake_step", lambda tenant, step: woken.append((tenant, step)))
    tasks.sweep()
    assert swept == ["acme", "globex", "initech"]
    assert woken == [("globex", 7), ("initech", 7)]


def test_refreshes_of_lists_that_are_due_are_woken(
    people: People, tasks_run_where_they_are_sent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    due = {"acme": [3], "globex": [], "initech": [4, 5]}
    monkeypatch.setattr(tasks.list_sources, "due_refreshes", lambda now: due[current_tenant().slug])
    monkeypatch.setattr(tasks.list_refresh.RefreshJob, "claim", lambda job, refresh: woken.append(refresh))
    tasks.sweep()
    assert woken == [3, 4, 5]
