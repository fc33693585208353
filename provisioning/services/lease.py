"""Who holds a step or a plan, and when nobody does any more: after the lease's time, or at once when its process is
dead."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection
from django.utils import timezone

from provisioning.models import Plan, Step
from tenants.models import Tenant
from tenants.scope import scope

LEASE_DURATION = timedelta(seconds=30)


def current_worker() -> str:
    """This process among all processes of all machines: host, name space of process ids, id, moment of its start."""
    return f"{_pid_namespace()}/{os.getpid()}/{_process_start_time(os.getpid())}"


def has_lapsed(held: Step | Plan, now: datetime) -> bool:
    """Whether a step or a plan that a worker holds is free to be claimed by another one.

    A process of this machine that is gone has stopped working on it for good, so its time need not pass; of another
    machine's only the clock tells.
    """
    if held.lease_until is not None and held.lease_until < now:
        return True
    here, _, process = held.lease_owner.rpartition("/")[0].rpartition("/")
    return here == _pid_namespace() and _process_start_time(int(process)) != held.lease_owner.rpartition("/")[2]


@contextmanager
def keep_renewed(tenant: Tenant, held: Step | Plan) -> Iterator[None]:
    """Keep the lease while one works; a worker that dies stops renewing, and the sweep finds what it held."""
    finished = threading.Event()

    def renew() -> None:
        while not finished.wait(LEASE_DURATION.total_seconds() / 3):
            with scope(tenant):
                mine = type(held).objects.filter(pk=held.pk, lease_number=held.lease_number, lease_until__isnull=False)
                mine.update(lease_until=timezone.now() + LEASE_DURATION)
            connection.close()

    thread = threading.Thread(target=renew, name=f"lease {held.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def _pid_namespace() -> str:
    return f"{socket.gethostname()[:40]}/{os.stat('/proc/self/ns/pid').st_ino}"


def _process_start_time(process: int) -> str:
    """Ticks since boot at which a process of this machine began (proc(5), stat, field 22); "" when there is none."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]
