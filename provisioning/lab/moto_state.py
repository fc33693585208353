"""The memory of the lab's AWS: what moto's server holds, kept in a file across restarts.

A demo that is started again must find the VPCs that its connectors name, with the same ids. The whole of the three
services is written at the end, and every few seconds when it changed, whole or not at all; after a kill the last few
seconds are missing, which is what drift detection is for. The file is trusted as code is: it lies in the data
folder, mode 0600.
"""

from __future__ import annotations

import atexit
import os
import pickle
import threading
import time
from pathlib import Path
from typing import Any

SERVICES = ("ec2", "sts", "iam")
SAVE_SECONDS = 2.0  # seconds


def load_state(file: Path) -> None:
    """Put what was kept into moto's backends; call before the server answers."""
    if not file.exists():
        return
    from moto.backends import get_backend

    kept: dict[str, dict[str, dict[str, Any]]] = pickle.loads(file.read_bytes())
    for service, accounts in kept.items():
        for account, regions in accounts.items():
            for region, backend in regions.items():
                dict.__setitem__(get_backend(service)[account], region, backend)  # type: ignore[call-overload]


def dump_state() -> bytes:
    """Everything, as bytes; the same state gives the same bytes."""
    from moto.backends import get_backend

    return pickle.dumps(
        {
            service: {
                account: dict(regions)
                for account, regions in list(get_backend(service).items())  # type: ignore[call-overload]
            }
            for service in SERVICES
        }
    )


def write_state(file: Path, state: bytes) -> None:
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(state)
    fresh.replace(file)


def save_periodically(file: Path) -> None:
    """Save what changed: at the end, and every few seconds for an end that gives no notice."""
    atexit.register(lambda: write_state(file, dump_state()))
    threading.Thread(target=_save_loop, args=[file], daemon=True, name="aws-memory").start()


def _save_loop(file: Path) -> None:
    last = b""
    while True:
        time.sleep(SAVE_SECONDS)
        try:
            state = dump_state()
        except RuntimeError:
            # A request changed a dictionary meanwhile; the next round sees it at rest.
            continue
        if state != last:
            write_state(file, state)
            last = state
