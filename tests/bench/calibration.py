"""How fast this machine is, measured by work that never changes; the bounds of the other benchmarks are scaled by it.

The references are the figures of the machine on which the bounds were set, when nothing else ran on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tests.bench import Figure

ROUNDS = 100


@dataclass(frozen=True)
class Measure:
    """A piece of fixed work: ``reference`` is the milliseconds that it took where bounds were set.

    CPU time where this process does all of it, which says how fast the machine is whatever else runs on it.
    """

    name: str
    work: Callable[[], object]
    reference: float
    clock: Callable[[], float] = time.process_time


def _pure_python() -> int:
    table: dict[str, int] = {}
    for number in range(60_000):
        key = f"site-{number % 997}"
        table[key] = table.get(key, 0) + number * 7 % 13
    return sum(sorted(table.values()))


def _numpy() -> object:
    import numpy as np

    rows = np.arange(400_000, dtype=np.uint64).reshape(400, 1000)
    return (rows.astype(np.float64) @ rows.T.astype(np.float64)).sum()


def _round_trips() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for number in range(10):
            cursor.execute("SELECT count(*) FROM generate_series(1, %s)", [number])
            cursor.fetchone()


MEASURES = (
    Measure("pure Python", _pure_python, 9.0),
    Measure("numpy", _numpy, 9.0),
    Measure("10 PostgreSQL round trips", _round_trips, 0.27, time.perf_counter),
)


@cache
def calibrate() -> tuple[float, list[Figure]]:
    """Return by how much this machine is slower than the reference, at least 1, and the figures that say so."""
    from tests.bench.portal_under_load import start_servers

    start_servers()
    figures = []
    for measure in MEASURES:
        took = min(_milliseconds(measure) for _ in range(ROUNDS))
        figures.append(
            Figure(f"calibration: {measure.name}", took, "ms", "the reference machine", took / measure.reference)
        )
    return max(1.0, *(figure.ratio or 1.0 for figure in figures)), figures


def _milliseconds(measure: Measure) -> float:
    began = measure.clock()
    measure.work()
    return (measure.clock() - began) * 1000
