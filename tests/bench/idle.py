"""What a demo takes that nobody looks at: its nodes report, its workloads send packets."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil

from portal.local import memory
from tests.bench import Figure, bench
from tests.bench.running_demo import demo_folder, running_demo

SETTLE_SECONDS, SECONDS = 20, 60
MAX_WEB, MAX_ALL = 3.0, 10.0


@bench
def idle() -> Iterator[Figure]:
    with demo_folder() as data, running_demo(data) as demo:
        time.sleep(SETTLE_SECONDS)
        before, began = _cpu_seconds(demo.pid), time.monotonic()
        time.sleep(SECONDS)
        after, seconds = _cpu_seconds(demo.pid), time.monotonic() - began
    shares = {name: 100 * (cpu - before.get(name, 0.0)) / seconds for name, cpu in after.items()}
    yield Figure("idle demo: web process", shares["portal"], "% of a core", bound=MAX_WEB)
    yield Figure("idle demo: all processes", sum(shares.values()), "% of a core", bound=MAX_ALL)
    for name in ("lab", "worker", "postgres", "redis-server"):
        yield Figure(f"idle demo: {name}", shares[name], "% of a core")


def _cpu_seconds(root: int) -> dict[str, float]:
    """Return the CPU seconds that the processes of a tree took so far, by what they are."""
    seconds: dict[str, float] = {}
    for process in memory.process_tree(root):
        try:
            times, name = process.cpu_times(), _name(process.cmdline())
        except psutil.NoSuchProcess:
            continue
        seconds[name] = seconds.get(name, 0.0) + times.user + times.system
    return seconds


def _name(command: list[str]) -> str:
    known = {"uvicorn": "portal", "celery": "worker", "provisioning.lab": "lab", "postgres": "postgres"}
    text = " ".join(command)
    return next((name for word, name in known.items() if word in text), text.partition(" ")[0].rpartition("/")[2])
