"""Read and write a network document of 5,000 connectors as YAML, with our format and with PyYAML's C loader and dumper.

provisioning/core/formats/yaml_format.py is kept only while it is at least ``LEAST_GAIN`` times faster.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from provisioning.core.formats import yaml_format
from tests.bench import Figure, bench

CONNECTORS, RUNS, LEAST_GAIN = 5_000, 3, 3.0


@bench
def yaml_documents() -> Iterator[Figure]:
    document = {"connectors": [_connector(number) for number in range(CONNECTORS)]}
    text = yaml_format.dump_yaml(document, width=120)
    assert yaml_format.load_yaml(text) == document
    yield _compare(
        "read",
        lambda: yaml_format.load_yaml(text),
        lambda: yaml.load(text, Loader=yaml.CSafeLoader),
        "yaml.CSafeLoader",
    )
    yield _compare(
        "written",
        lambda: yaml_format.dump_yaml(document, width=120),
        lambda: yaml.dump(document, Dumper=yaml.CSafeDumper, width=120, allow_unicode=True, sort_keys=False),
        "yaml.CSafeDumper",
    )


def _compare(verb: str, ours: Callable[[], object], library: Callable[[], object], peer: str) -> Figure:
    seconds, peer_seconds = _best_seconds(ours), _best_seconds(library)
    name = f"YAML of {CONNECTORS:,} connectors {verb}"
    return Figure(name, seconds, "s", peer, seconds / peer_seconds, peer_seconds / LEAST_GAIN, is_relative=True)


def _best_seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def _connector(number: int) -> dict[str, Any]:
    attachment = {"segment": "s-1", "group": "g-1", "prefixes": [f"172.16.{number >> 8}.{number & 255}/32"]}
    return {
        "name": f"site-{number}",
        "id": f"0190a3f0-0000-7000-8000-{number:012d}",
        "kind": "lab-site",
        "exchange": "eu",
        "description": f"A site in the south, number {number}",
        "tags": ["branch", "south"],
        "attachments": [attachment],
    }
