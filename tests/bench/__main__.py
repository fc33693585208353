"""``python -m tests.bench [NAME…]``: runs all benchmarks, or those named."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import asdict

from tests.bench import BENCHES

MODULES = ["tests.bench.starting", "tests.bench.packets"]


def main(wanted: list[str]) -> int:
    for module in MODULES:
        importlib.import_module(module)
    if unknown := set(wanted) - set(BENCHES):
        print(f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    for name, bench in BENCHES.items():
        if not wanted or name in wanted:
            print(f"{name} …", file=sys.stderr, flush=True)
            for figure in bench():
                print(json.dumps({**asdict(figure), "value": round(figure.value, 3)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
