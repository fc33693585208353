"""kill -9 of Redis during a run: once it is back, the worker reconnects by itself and the run succeeds."""

from __future__ import annotations

import os
import signal
import time

import redis

from provisioning.models import Node, Run
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import create_planned_run, report_all_applied
from tests.servers import TestServers
from tests.system.clients import wait_until


def test_a_run_survives_a_killed_redis(people: People, servers: TestServers, live_worker: None) -> None:
    assert servers.redis is not None, "this test kills the Redis of its own session"
    running = {process.process.name: process for process in servers.supervisor.running}
    run, _ = create_planned_run(people.acme)
    wait_until(lambda: _states(people, run), lambda states: {"running", "waiting"} <= states, 20, 0.005)
    with redis.Redis.from_url(servers.redis.url) as client:
        assert not client.exists("unacked"), "messages that a worker would put back into a Redis that has gone"
    os.kill(running["redis"].popen.pid, signal.SIGKILL)
    running["redis"].popen.wait(5)
    servers.supervisor.stop("redis")
    time.sleep(1.5)  # the worker finds nobody there
    servers.supervisor.start(servers.redis.process())

    wait_until(lambda: _report_and_look(people, run), lambda state: state not in Run.ACTIVE, 45)
    assert _states(people, run) == {"done"}
    assert running["worker"].popen.poll() is None


def _states(people: People, run: Run) -> set[str]:
    with scope(people.acme):
        return set(run.steps.values_list("state", flat=True))


def _report_and_look(people: People, run: Run) -> str:
    for node in Node.objects.all():
        report_all_applied(node)
    with scope(people.acme):
        run.refresh_from_db()
        return run.state
