"""The network core on generated networks: both sizes in all four shapes, each in its own process.

Figures are named like ``core.b.dense.delta``. The peer is the tests' reference evaluator on the same network: its time
for a sample of packets, extrapolated to one packet for each pair of attachments, protocol and port range.
"""

from __future__ import annotations

import json
import math
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from portal.local import process_specs
from tests.bench import Figure, bench
from tests.bench.generated_networks import SHAPES, SIZES, BenchNetwork, generate_network
from tests.bench.network_edits import EDITS, LABELLED_EDITS, flip_tenth_of_rules

BOUNDS: dict[str, tuple[str, tuple[float, float, float]]] = {
    "nothing": ("s", (0.5, 6, 12)),
    "delta": ("s", (0.6, 5, 15)),
    "edit.rule": ("s", (0.12, 1, 3)),
    "edit.rule-everywhere": ("s", (0.3, 3, 4)),
    "edit.connector-removed": ("s", (0.12, 1, 3)),
    "edit.connector-added": ("s", (0.12, 1, 3)),
    "edit.selector": ("s", (0.6, 3, 3)),
    "trace": ("ms", (1, 2, 2)),
    "trace-list": ("s", (5, 5, 5)),
    "memory": ("MiB", (200, 700, 1331.2)),
}
"""Measurement → (unit, bounds for sizes a, b plain, dense and labelled, b skewed)."""

GROWTH_PARTS = ("check", "compile", "diff")
"""Parts whose time may grow no faster than n log n."""


@bench
def core() -> Iterator[Figure]:
    spent = {}
    for size in SIZES:
        for shape in SHAPES:
            net = generate_network(SIZES[size], shape)
            costs = spent[size, shape] = measure_network(net)
            yield from _case_figures(f"core.{size}.{shape}", costs, 0 if size == "a" else 2 if shape == "skewed" else 1)
    small, large = SIZES["a"].connectors, SIZES["b"].connectors
    allowed = large * math.log(large) / (small * math.log(small))
    for shape in SHAPES:
        for part in GROWTH_PARTS:
            grown = spent["b", shape][part] / spent["a", shape][part]
            yield Figure(
                f"core.growth.{shape}.{part}", grown / allowed, "", "n log n, n connectors", grown / allowed, 1.0
            )


def _case_figures(name: str, costs: dict[str, float], column: int) -> Iterator[Figure]:
    for part in ("load", *GROWTH_PARTS):
        yield Figure(f"{name}.{part}", costs[part], "s")
    for row, (unit, bounds) in BOUNDS.items():
        if row not in costs:  # only labelled networks have selectors
            continue
        value, bound = costs[row], float(bounds[column])
        if row == "delta":
            yield Figure(
                f"{name}.{row}", value, unit, "reference evaluator, all pairs", value / costs["reference"], bound
            )
        elif row == "trace":
            yield Figure(
                f"{name}.{row}",
                value,
                unit,
                "reference evaluator, one packet",
                value / costs["reference.packet"],
                bound,
            )
        else:
            yield Figure(f"{name}.{row}", value, unit, bound=bound)


def measure_network(net: BenchNetwork) -> dict[str, float]:
    """Return the figures of ``core_case`` for a network, which is generated outside that process."""
    has_selectors = any(body["selector"] for _, body in net.of("groups"))
    edits = {"tenth": flip_tenth_of_rules, **(LABELLED_EDITS if has_selectors else EDITS)}
    changes = {name: _changed_rows(net, edit(net)) for name, edit in edits.items()}
    with tempfile.NamedTemporaryFile(prefix="causeway-bench-", suffix=".pickle") as file:
        Path(file.name).write_bytes(pickle.dumps((list(net.rows.values()), changes)))
        output = subprocess.run(
            [sys.executable, "-m", "tests.bench.core_case", file.name],
            cwd=process_specs.ROOT,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        ).stdout
    costs: dict[str, float] = json.loads(output)
    return costs


def _changed_rows(before: BenchNetwork, after: BenchNetwork) -> list[tuple[object, ...]]:
    """Return rows that are new or different, and (kind, uid, None) of removed ones."""
    new = [row for uid, row in after.rows.items() if before.rows.get(uid) != row]
    return [*new, *((row[0], uid, None) for uid, row in before.rows.items() if uid not in after.rows)]
