"""Seconds to start a demo the first and the second time, and its memory; set-up is not included."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import Figure, bench
from tests.bench.running_demo import demo_folder, running_demo


@bench
def startup() -> Iterator[Figure]:
    with demo_folder() as data:
        with running_demo(data) as demo:
            yield Figure("demo, first start", demo.seconds, "s")
            yield Figure("demo, memory of all processes", demo.memory() / 2**20, "MiB")
        with running_demo(data) as demo:
            yield Figure("demo, second start", demo.seconds, "s")
