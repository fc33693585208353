"""Who holds a step, and when nobody does any more: after the lease's time, or at once when its process is dead."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from pathlib import Path

from provisioning.models import Step

LEASE = timedelta(seconds=30)


def me() -> str:
    """This process among all processes of all machines: host, name space of process ids, id, moment of its start."""
    return f"{_here()}/{os.getpid()}/{_started(os.getpid())}"


def lapsed(step: Step, now: datetime) -> bool:
    """Whether a running step is free to be claimed by another worker.

    A process of this machine that is gone has stopped working on the step for good, so its time need not pass; of
    another machine's only the clock tells.
    """
    if step.state != Step.State.RUNNING:
        return False
    if step.lease_until is not None and step.lease_until < now:
        return True
    here, _, process = step.lease_owner.rpartition("/")[0].rpartition("/")
    return here == _here() and _started(int(process)) != step.lease_owner.rpartition("/")[2]


def _here() -> str:
    return f"{socket.gethostname()[:40]}/{os.stat('/proc/self/ns/pid').st_ino}"


def _started(process: int) -> str:
    """Ticks since boot at which a process of this machine began (proc(5), stat, field 22); "" when there is none."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]
