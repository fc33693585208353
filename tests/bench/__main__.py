"""``python -m tests.bench [NAME…]``: run all benchmarks or those named; exit 1 if a figure exceeds its bound.

A calibration runs first, and bounds of time are those of the reference machine times how much slower this one is.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict

from tests.bench import BENCHES, Figure
from tests.bench.calibration import calibrate

MODULES = [
    "tests.bench.core",
    "tests.bench.store",
    "tests.bench.runs",
    "tests.bench.reports",
    "tests.bench.idle",
    "tests.bench.requests",
    "tests.bench.documents",
    "tests.bench.sockets",
    "tests.bench.startup",
    "tests.bench.packets",
    "tests.bench.yaml_documents",
]


def main(names: list[str]) -> int:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the portal's settings do
    for module in MODULES:
        importlib.import_module(module)
    if unknown := set(names) - set(BENCHES):
        print(f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    if os.getloadavg()[0] > 1:
        print(f"The machine is busy (load {os.getloadavg()[0]:.1f}); times will be too long.", file=sys.stderr)
    print("calibration …", file=sys.stderr, flush=True)
    slowness, figures = calibrate()
    for figure in figures:
        print(json.dumps(_figure_as_json(figure)), flush=True)
    for name, bench in BENCHES.items():
        if not names or name in names:
            print(f"{name} …", file=sys.stderr, flush=True)
            for measured in bench():
                figure = measured.scaled(slowness)
                figures.append(figure)
                print(json.dumps(_figure_as_json(figure)), flush=True)
    print(table(figures), file=sys.stderr)
    return 0 if all(figure.is_within_bound for figure in figures) else 1


def _figure_as_json(figure: Figure) -> dict[str, object]:
    fields = asdict(figure)
    return {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in fields.items()}


def table(figures: Iterable[Figure]) -> str:
    rows = [
        (
            figure.name,
            f"{figure.value:,.4g} {figure.unit}".strip(),
            "" if figure.bound is None else f"≤ {figure.bound:,.4g}",
            "" if figure.is_within_bound else "OUTSIDE",
            figure.peer or "",
            "" if figure.ratio is None else f"× {figure.ratio:.3g}",
        )
        for figure in figures
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(6)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
