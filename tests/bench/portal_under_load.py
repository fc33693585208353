"""The servers of the benchmarks, a portal process beside them, and the CPU time that it takes.

CPU time is what is bounded: on a machine that others use too, it says more than the time that passes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import psutil

from portal.local import process_specs
from portal.local.redis import free_port


@cache
def start_servers() -> str:
    """Start PostgreSQL and Redis, set Django up and migrate, once for all benchmarks; return the owner's URL."""
    from tests.servers import SERVERS

    os.environ.update(DJANGO_SETTINGS_MODULE="portal.settings", API_REQUESTS="100000000", LOG_LEVEL="ERROR")
    SERVERS.start_database()
    SERVERS.start_redis()
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", database="owner", verbosity=0, interactive=False)
    return SERVERS.owner_url


@dataclass(frozen=True)
class LivePortal:
    """One web process, as ``make demo`` starts it."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def live_portal() -> Iterator[LivePortal]:
    """Run a portal against the servers of ``start_servers``."""
    from tests.servers import SERVERS

    start_servers()
    port = free_port()
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_OWNER_URL", "DATABASE_POOL")}
    spec = process_specs.portal_process({**env, "PUBLIC_URL": f"http://127.0.0.1:{port}"}, port)
    running = SERVERS.supervisor.start(spec)
    try:
        yield LivePortal(port, psutil.Process(running.popen.pid))
    finally:
        SERVERS.supervisor.stop(spec.name)
