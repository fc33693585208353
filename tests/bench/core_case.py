"""``python -m tests.bench.core_case FILE``: measure the core on one generated network; print seconds by name as JSON.

The file is a pickle of rows and of the changes of each edit. The reference evaluator runs last, after memory is read.
"""

from __future__ import annotations

import gc
import json
import pickle
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from provisioning.catalog import catalog
from provisioning.core.check import check_network
from provisioning.core.formats.flow_list import MAX_FLOWS, read_flows
from provisioning.core.intent import Intent, build_object, load_intent
from provisioning.core.plan import compute_blast_radius, diff_resources, plan_digest, plan_warnings
from provisioning.core.reach import (
    FlowTraces,
    ReachabilityDelta,
    check_assertions,
    compare_reachability,
    trace_flow,
)
from provisioning.core.resolve.network import Network
from provisioning.core.values.addresses import address_text
from provisioning.core.values.resource import Resource, as_json
from provisioning.drivers import compile_network, gateway_warnings
from provisioning.process_start import tune_garbage_collection
from tests.bench.generated_networks import BenchNetwork as Drawn
from tests.core.reference_evaluator import ReferenceEvaluator, ReferencePacket
from tests.core.reference_objects import PROTOCOLS
from tests.core.sample_networks import TODAY

REPLACE_ON = {
    "aws.transit-gateway": frozenset({"account", "region", "asn"}),
    "aws.customer-gateway": frozenset({"public_ip", "asn"}),
}
"""Copied from the drivers: importing them would load a framework and distort the measurement."""

MAX_REPEAT_SECONDS = 4.0
"""A measurement that takes longer is not repeated."""


class CoreMeasurement:
    def __init__(self, rows: list[Any], changes: dict[str, list[Any]]) -> None:
        self.rows, self.changes, self.seconds = rows, changes, dict[str, float]()

    def timed(self, name: str, run: Callable[[], Any], prepare: Callable[[], object] = gc.collect) -> Any:
        """Run up to three times, with garbage collected before each; store the best time, return the result."""
        best, began, result = float("inf"), time.perf_counter(), None
        for _ in range(3):
            result = None
            prepare()
            started = time.perf_counter()
            result = run()
            best = min(best, time.perf_counter() - started)
            if time.perf_counter() - began > MAX_REPEAT_SECONDS:
                break
        self.seconds[name] = best
        return result

    def run(self) -> dict[str, float]:
        intent: Intent = self.timed("load", lambda: load_intent(self.rows, catalog()))
        self.rows = []
        self.parts(intent)
        network, resources = self.timed("nothing", lambda: make_plan(Network(intent), {}, Network(Intent(catalog()))))[
            :2
        ]
        after = apply_rows(intent, self.changes["tenth"])
        self.timed("delta", lambda: compare_reachability(Network(intent), Network(after)))
        self.edits(network, resources)
        self.traces(network)
        self.trace_list(network)
        self.seconds["memory"] = peak_memory()
        return self.seconds

    def parts(self, intent: Intent) -> None:
        """Measure check, compile and diff, each on a fresh network; growth is computed from these."""
        self.timed("check", lambda: check_network(Network(intent)))
        desired = self.timed("compile", lambda: compile_network(Network(intent)))
        self.timed("diff", lambda: diff_resources({}, desired, REPLACE_ON))

    def edits(self, live: Network, resources: dict[str, Resource]) -> None:
        """Measure planning one more edit on a draft with one planned edit."""
        first = apply_rows(live.intent, self.changes["connector-added"])
        draft = make_plan(Network(first, live), resources, live)[0]
        for name, rows in self.changes.items():
            if name == "tenth":
                continue
            base = live.intent if name == "connector-added" else first
            before = live if name == "connector-added" else draft
            intent = apply_rows(base, rows)
            self.timed(f"edit.{name}", partial(plan_edit, intent, before, resources, live))

    def traces(self, network: Network) -> None:
        """Measure the 95th percentile of traces in milliseconds, each the better of two runs."""
        seconds = []
        for source, destination, segment in random_pairs(network, random.Random(5), 300):
            took = []
            for _ in range(2):
                started = time.perf_counter()
                trace_flow(network, source, destination, "tcp", 443, segment)
                took.append(time.perf_counter() - started)
            seconds.append(min(took))
        self.seconds["trace"] = 1000 * statistics.quantiles(seconds, n=20)[-1]

    def trace_list(self, network: Network) -> None:
        """Measure 10,000 traces in one request, from objects to the text of the answer."""
        pairs = random_pairs(network, random.Random(5), MAX_FLOWS)
        asked = [
            {"from": source, "to": destination, "port": 443, "segment": segment}
            for source, destination, segment in pairs
        ]

        def answer() -> str:
            traces = FlowTraces(network)
            return json.dumps([as_json(traces.trace(flow.query)) for flow in read_flows(asked) if flow.query])

        self.timed("trace-list", answer)

    def estimate_reference(self, rows: list[Any]) -> None:
        """Estimate the time of one packet for each pair and port range, before and after, from a sample of packets."""
        net = Drawn()
        net.rows = {row[1]: row for row in rows}
        reference, rng = ReferenceEvaluator(net, catalog()), random.Random(6)
        segments = [row.uid for row in reference.rows.of("segments")]
        sizes = {uid: len(reference.edges(uid)) for uid in segments}
        cells = {
            uid: len({(r["protocol"], *r["ports"]) for p in reference.policies(uid) for r in p["rules"]})
            for uid in segments
        }
        started, count = time.perf_counter(), 0
        while count < 400 and time.perf_counter() - started < MAX_REPEAT_SECONDS:
            uid = rng.choices(segments, [sizes[uid] ** 2 * (cells[uid] + 1) for uid in segments])[0]
            start, end = (rng.choice([e for e in reference.edges(uid) if e.inside]) for _ in range(2))
            packet = ReferencePacket(
                start.inside[0].low + 1, end.inside[0].low + 1, rng.choice([*PROTOCOLS.values()]), 443
            )
            reference.sent(uid, start.connector, packet)
            count += 1
        each = (time.perf_counter() - started) / count
        self.seconds["reference.packet"] = 1000 * each
        self.seconds["reference"] = 2 * each * sum(sizes[uid] ** 2 * (cells[uid] + 1) for uid in segments)


def peak_memory() -> float:
    """Return the most memory this program has held, in MiB: getrusage would count what its parent held as it forked."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024  # type: ignore[union-attr]


def make_plan(
    network: Network, known: dict[str, Resource], before: Network
) -> tuple[Network, dict[str, Resource], ReachabilityDelta | None]:
    """Compute everything in a plan, as the plan service does."""
    check_network(network)
    check_assertions(network, TODAY)
    desired = compile_network(network)
    changes = diff_resources(known, desired, REPLACE_ON)
    delta = compare_reachability(before, network) if before.intent.segments else None
    compute_blast_radius(changes, before.intent, network.intent)
    plan_warnings(changes, before.intent, network.intent, delta or ReachabilityDelta(), gateway_warnings())
    plan_digest(changes)
    return network, desired, delta


def plan_edit(intent: Intent, before: Network, resources: Any, live: Network) -> Any:
    return make_plan(Network(intent, before), resources, live)


def apply_rows(intent: Intent, rows: Iterable[Any]) -> Intent:
    """Return an intent with these rows replaced; unchanged objects are reused."""
    kinds: dict[str, dict[str, Any]] = {}
    for kind, uid, *more in rows:
        objects = kinds.setdefault(kind, dict(intent.of(kind)))
        if more == [None]:
            del objects[uid]
        else:
            objects[uid] = build_object(kind, uid, *more)
    fields: dict[str, Any] = {kind.replace("-", "_"): objects for kind, objects in kinds.items()}
    return replace(intent, **fields)


def random_pairs(network: Network, rng: random.Random, count: int) -> list[tuple[str, str, str]]:
    """Return ``count`` random (connector@address, address, segment) of members of one segment."""
    segments = list(network.resolved_segments.values())
    pairs: list[tuple[str, str, str]] = []
    while len(pairs) < count:
        resolved = rng.choices(segments, [len(segment.members) for segment in segments])[0]
        start, end = (rng.choice([member for member in resolved.members if member.ranges]) for _ in range(2))
        source = f"{start.connector.uid}@{address_text(start.ranges[0][0] + 1)}"
        pairs.append((source, address_text(end.ranges[0][0] + 1), resolved.segment.uid))
    return pairs


def main(file: str) -> None:
    tune_garbage_collection()
    rows, changes = pickle.loads(Path(file).read_bytes())
    case = CoreMeasurement(rows, changes)
    del rows
    case.run()
    case.estimate_reference(pickle.loads(Path(file).read_bytes())[0])
    print(json.dumps(case.seconds))


if __name__ == "__main__":
    main(sys.argv[1])
