"""Who holds a step, a plan or the discovery of an account, and when nobody does any more: after the lease's time, or at
once when its process is dead."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psutil
from django.db import connection
from django.db.models import F
from django.utils import timezone

from provisioning.models.leased import Leased

LEASE_DURATION = timedelta(seconds=30)
WAKE_UP_TIMEOUT = timedelta(seconds=5)
"""After this time what no worker claimed is woken again."""


def current_worker() -> str:
    """Return this process' name among all processes of all machines: host, PID namespace, PID, start time."""
    return f"{_pid_namespace()}/{os.getpid()}/{_start_time(os.getpid())}"


def next_lease(now: datetime) -> dict[str, Any]:
    """Return the fields of this worker's lease. Claim by an update of the row under the number that was read: whoever
    comes first raises it, and the other one comes too late."""
    return {
        "lease_owner": current_worker(),
        "lease_number": F("lease_number") + 1,
        "lease_until": now + LEASE_DURATION,
    }


def has_lapsed(claimed: Leased, now: datetime) -> bool:
    """Return whether another worker may claim what this one holds.

    A process of this machine that is gone has stopped working on it for good, so its time need not pass; of another
    machine's only the clock tells.
    """
    if claimed.lease_until is not None and claimed.lease_until < now:
        return True
    namespace, _, pid = claimed.lease_owner.rpartition("/")[0].rpartition("/")
    return namespace == _pid_namespace() and _start_time(int(pid)) != claimed.lease_owner.rpartition("/")[2]


@contextmanager
def keep_renewed(in_scope: Callable[..., Any], claimed: Leased) -> Iterator[None]:
    """Renew the lease while one works; a worker that dies stops renewing, and the sweep finds what it held.

    ``in_scope`` calls a function in the tenant's scope (TenantJob.in_scope).
    """
    finished = threading.Event()

    def renew() -> None:
        leased = type(claimed)._default_manager.filter(
            pk=claimed.pk, lease_number=claimed.lease_number, lease_until__isnull=False
        )
        while not finished.wait(LEASE_DURATION.total_seconds() / 3):
            in_scope(leased.update, lease_until=timezone.now() + LEASE_DURATION)
            connection.close()

    thread = threading.Thread(target=renew, name=f"lease {claimed.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def _pid_namespace() -> str:
    return f"{socket.gethostname()[:40]}/{os.stat('/proc/self/ns/pid').st_ino}"


def _start_time(pid: int) -> str:
    """Return when a process of this machine started, in seconds since boot; "" when there is none, or a zombie.

    Since boot, because a clock that is set moves the time since the epoch of processes that live.
    """
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time() - psutil.boot_time():.2f}"
    except psutil.NoSuchProcess:
        return ""
