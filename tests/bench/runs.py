"""The cost of one step in a run of many steps, all independent or each depending on the one before.

It uses the real database with row-level security, a driver that does nothing and a queue in this process instead of
the broker. ``python -m tests.bench runs``.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench import Figure, bench
from tests.bench.portal_under_load import start_servers
from tests.bench.store import analyze

ROUNDS = {200: 3, 2000: 1}
"""Steps of a run → number of such runs; the fastest counts, since the machine is shared."""
MAX_GROWTH = 1.3
"""Largest ratio of the time per step in the larger run to that in the smaller one."""
ROWS_READ = """
    SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))
    FROM pg_stat_user_tables WHERE relname IN ('provisioning_step', 'provisioning_run')
"""

messages: Counter[str] = Counter()
wake_ups: deque[int] = deque()


@dataclass(frozen=True)
class RunCost:
    """The cost of a run of ``steps`` steps."""

    steps: int
    seconds: float
    wake_ups: int
    other_messages: int
    rows_read: int


@bench
def runs() -> Iterator[Figure]:
    owner_url = start_servers()
    for shape, chained in (("independent", False), ("chained", True)):
        measure_run(f"warm-up-{shape}", 20, chained)
        analyze(owner_url)
        yield from _figures(shape, *(_fastest(size, chained) for size in ROUNDS))


def _figures(shape: str, small: RunCost, large: RunCost) -> Iterator[Figure]:
    for cost in (small, large):
        name = f"run of {cost.steps:,} {shape} steps"
        yield Figure(f"{name}: time a step", cost.seconds / cost.steps * 1000, "ms")
        yield Figure(f"{name}: wake-ups a step", cost.wake_ups / cost.steps, "", bound=1.0)
        yield Figure(f"{name}: other messages a step", cost.other_messages / cost.steps, "")
        yield Figure(f"{name}: rows read a step", cost.rows_read / cost.steps, "")
    growth = (large.seconds / large.steps) / (small.seconds / small.steps)
    yield Figure(f"{shape} steps: time a step, {large.steps:,} over {small.steps:,}", growth, "", bound=MAX_GROWTH)


def _fastest(size: int, chained: bool) -> RunCost:
    costs = [measure_run(f"{'chain' if chained else 'free'}-{size}-{n}", size, chained) for n in range(ROUNDS[size])]
    return min(costs, key=lambda cost: cost.seconds)


def measure_run(slug: str, size: int, chained: bool) -> RunCost:
    """Provision a plan of ``size`` changes for a new tenant and run every step that a message wakes."""
    from provisioning.models import Run
    from provisioning.services import runs, steps
    from tenants.models import Tenant
    from tenants.scope import scope

    tenant = Tenant.objects.create(slug=slug, name=slug)
    with _no_driver_and_no_broker():
        rows_before, started = _rows_read(), time.perf_counter()
        with scope(tenant):
            plan = create_ready_plan(size, chained)
            run = runs.provision_plan(plan, plan.digest)
        while wake_ups:
            steps.StepJob(tenant).run(wake_ups.popleft())
        seconds, rows = time.perf_counter() - started, _rows_read() - rows_before
        counted = Counter(messages)
    with scope(tenant):
        assert Run.objects.get(pk=run.pk).state == Run.State.SUCCEEDED
    return RunCost(size, seconds, counted.pop("step"), counted.total(), rows)


def create_ready_plan(size: int, chained: bool) -> Any:
    """Create a plan of ``size`` changes, ready to provision, in the current tenant scope."""
    from provisioning.models import Draft, Plan, PlannedChange, ResourceBody
    from provisioning.snapshots import resource_state

    draft = Draft(name="bench", base_revision=0, author="bench")
    draft.save()
    plan = Plan(
        draft=draft,
        draft_version=draft.version,
        base_revision=0,
        state=Plan.State.READY,
        state_fingerprint=resource_state.state_fingerprint(),
        digest="bench",
        author="bench",
    )
    plan.save()
    body = ResourceBody(digest="bench", body={"size": "small"})
    body.save()
    PlannedChange.objects.bulk_insert(
        PlannedChange(
            plan=plan,
            order=number,
            action="create",
            address=f"thing/{number}",
            kind="bench.thing",
            after=body,
            depends=[f"thing/{number - 1}"] if chained and number else [],
        )
        for number in range(size)
    )
    return plan


@contextmanager
def _no_driver_and_no_broker() -> Iterator[None]:
    """Apply changes without a driver and count messages; those that wake steps go to ``wake_ups``."""
    from django.conf import settings

    from provisioning.drivers.base import Done
    from provisioning.services import steps

    class NoDriver:
        def apply(self, change: Any, context: Any) -> Done:
            return Done({}, change.after)

    get_driver, handlers = steps.get_driver, settings.OUTBOX_HANDLERS
    messages.clear()
    steps.get_driver = lambda name: NoDriver()  # type: ignore[assignment,return-value]
    settings.OUTBOX_HANDLERS = {topic: f"{__name__}.take_{topic}" for topic in ("step", "changed")}
    try:
        yield
    finally:
        steps.get_driver, settings.OUTBOX_HANDLERS = get_driver, handlers


def take_step(tenant: str, step: int, after: float = 0) -> None:
    messages["step"] += 1
    wake_ups.append(step)


def take_changed(tenant: str, **message: object) -> None:
    messages["changed"] += 1


def _rows_read() -> int:
    """Return the rows of steps and runs that the server has read so far, by index or by scan."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(ROWS_READ)
        return int(cursor.fetchone()[0])
