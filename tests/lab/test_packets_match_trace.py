"""Packets in the lab agree with traces of the model, also while a network changes."""

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
"""Seconds between the last node's change and the look at live flows."""
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


def test_packets_of_the_hospital_network_agree_with_traces(running_lab: RunningLab) -> None:
    network = Network(hospital_network().intent())
    running_lab.publish({})
    running_lab.publish(compile_documents(network))
    wrong = TraceComparison(running_lab, network).differences()
    assert not wrong, "\n".join(wrong)


@pytest.mark.timeout(900)
@settings(judging, max_examples=4, derandomize=True)
@given(both=network_versions())
@example(both=nat_moves_between_connectors())
def test_packets_of_generated_networks_agree_with_traces(
    running_lab: RunningLab, both: tuple[GeneratedNetwork, GeneratedNetwork]
) -> None:
    check_versions(running_lab, *both)


@pytest.mark.long
@pytest.mark.timeout(0)
def test_packets_of_thousands_of_generated_networks_agree_with_traces(running_lab: RunningLab) -> None:
    """Try as many networks as JUDGE_SECONDS allow; those that failed last time come first."""
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
    """Run a network and then its later version under live flows; return the number of probes that agreed."""
    note(repr(before))
    first = Network(before.intent())
    if not is_valid(first):
        reject()
    second = Network(after.intent(), first)
    running_lab.publish({})
    running_lab.publish(compile_documents(first))
    comparison = TraceComparison(running_lab, first)
    agreed = assert_agreement(comparison)
    if not is_valid(second):
        return agreed
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
        current_trace = later.expected_trace(probe)
        if not current_trace.disposition.startswith("delivered"):
            assert moment < settled + ALIVE, f"{probe} is {current_trace.disposition} now but was not cut"
        elif is_same_path(expected_trace, current_trace) and later.is_alive(probe, current_trace):
            assert moment > now - ALIVE, f"{probe} is {current_trace.disposition} as before and was cut"
    return agreed + assert_agreement(later)


def assert_agreement(comparison: TraceComparison) -> int:
    wrong = comparison.differences()
    assert not wrong, "\n" + "\n".join(wrong)
    return len(comparison.probes())


def hash_of(probe: object) -> str:
    """Return a sort key that does not put all flows of one site first."""
    return str(probe)[::-1]
