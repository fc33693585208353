"""What the model says and what packets do are the same, from the drawing to the wire, also while a network changes."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import HealthCheck, Phase, example, given, note, reject, settings

from provisioning.core.check import check_network
from provisioning.core.resolve.network import Network
from tests.core.sample_networks import hospital_network
from tests.lab.compiled_documents import compile_documents
from tests.lab.conftest import RunningLab
from tests.lab.network_strategies import GeneratedNetwork, nat_moves_between_connectors, network_versions
from tests.lab.trace_comparison import TraceComparison, is_same_path, stream_request

pytestmark = [pytest.mark.packets]

AFTER = 1.3
"""Seconds after the last node has a change until live flows are looked at."""
ALIVE = 1.0
STREAMS = 30
LONG = float(os.environ.get("JUDGE_SECONDS", "1500"))

judging = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    print_blob=False,
)


def is_valid(network: Network) -> bool:
    return not any(problem.severity == "error" for problem in check_network(network, slow_checks=False))


def test_the_hospital_network_behaves_as_the_model_says(running_lab: RunningLab) -> None:
    network = Network(hospital_network().intent())
    running_lab.publish({})
    running_lab.publish(compile_documents(network))
    wrong = TraceComparison(running_lab, network).differences()
    assert not wrong, "\n".join(wrong)


@pytest.mark.timeout(900)
@settings(judging, max_examples=4, derandomize=True)
@given(both=network_versions())
@example(both=nat_moves_between_connectors())
def test_generated_networks_behave_as_the_model_says(
    running_lab: RunningLab, both: tuple[GeneratedNetwork, GeneratedNetwork]
) -> None:
    check_versions(running_lab, *both)


@pytest.mark.long
@pytest.mark.timeout(0)
def test_thousands_of_generated_networks_behave_as_the_model_says(running_lab: RunningLab) -> None:
    """As many as there is time for (JUDGE_SECONDS); those that failed last time come first."""
    end, counted = time.monotonic() + LONG, [0, 0]

    @settings(judging, max_examples=25)
    @given(both=network_versions())
    def some(both: tuple[GeneratedNetwork, GeneratedNetwork]) -> None:
        if time.monotonic() < end:
            counted[0] += 1
            counted[1] += check_versions(running_lab, *both)

    # A few at a time: after the end the rest of them is only drawn.
    while time.monotonic() < end:
        some()
    assert counted[0] > 10, counted


def check_versions(running_lab: RunningLab, before: GeneratedNetwork, after: GeneratedNetwork) -> int:
    """Runs one network and then its later version under live flows; returns how many probes agreed."""
    note(repr(before))
    first = Network(before.intent())
    if not is_valid(first):
        reject()
    second = Network(after.intent(), first)
    running_lab.publish({})
    running_lab.publish(compile_documents(first))
    comparison = TraceComparison(running_lab, first)
    told = assert_agreement(comparison)
    if not is_valid(second):
        return told
    streams = comparison.streams()
    chosen = dict(sorted(streams.items(), key=lambda item: hash_of(item[0]))[:STREAMS])
    opened = running_lab.send_command(do="open", flows=[stream_request(probe) for probe in chosen])
    assert all(opened), [str(probe) for probe, is_open in zip(chosen, opened, strict=True) if not is_open]
    note(f"then {after!r}")
    running_lab.publish(compile_documents(second))
    settled = time.monotonic()
    time.sleep(AFTER)
    later = TraceComparison(running_lab, second)
    last, now = running_lab.send_command(do="look"), time.monotonic()
    running_lab.send_command(do="close")
    for (probe, expected_trace), moment in zip(chosen.items(), last, strict=True):
        what = later.expected_trace(probe)
        if not what.disposition.startswith("delivered"):
            assert moment < settled + ALIVE, f"{probe} is {what.disposition} now and goes on"
        elif is_same_path(expected_trace, what) and later.is_alive(probe, what):
            assert moment > now - ALIVE, f"{probe} is {what.disposition} as before and was cut"
    return told + assert_agreement(later)


def assert_agreement(comparison: TraceComparison) -> int:
    wrong = comparison.differences()
    assert not wrong, "\n" + "\n".join(wrong)
    return len(comparison.probes())


def hash_of(probe: object) -> str:
    """Some order that does not put all flows of one site first."""
    return str(probe)[::-1]
