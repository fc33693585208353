"""What the model says and what packets do are the same, from the drawing to the wire, also while a network changes."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import HealthCheck, Phase, example, given, note, reject, settings

from provisioning.core.check import check_network
from provisioning.core.resolve.network import Network
from tests.core.sample_networks import hospital_network
from tests.lab.conftest import World
from tests.lab.drawn import documents
from tests.lab.judged import Judge, flow, same_way
from tests.lab.sketches import Sketch, nat_changes_hands, versions

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


def test_the_hospital_network_behaves_as_the_model_says(world: World) -> None:
    network = Network(hospital_network().intent())
    world.publish({})
    world.publish(documents(network))
    wrong = Judge(world, network).differences()
    assert not wrong, "\n".join(wrong)


@pytest.mark.timeout(900)
@settings(judging, max_examples=4, derandomize=True)
@given(both=versions())
@example(both=nat_changes_hands())
def test_generated_networks_behave_as_the_model_says(world: World, both: tuple[Sketch, Sketch]) -> None:
    behaves(world, *both)


@pytest.mark.long
@pytest.mark.timeout(0)
def test_thousands_of_generated_networks_behave_as_the_model_says(world: World) -> None:
    """As many as there is time for (JUDGE_SECONDS); those that failed last time come first."""
    end, counted = time.monotonic() + LONG, [0, 0]

    @settings(judging, max_examples=25)
    @given(both=versions())
    def some(both: tuple[Sketch, Sketch]) -> None:
        if time.monotonic() < end:
            counted[0] += 1
            counted[1] += behaves(world, *both)

    # A few at a time: after the end the rest of them is only drawn.
    while time.monotonic() < end:
        some()
    assert counted[0] > 10, counted


def behaves(world: World, before: Sketch, after: Sketch) -> int:
    """Runs one network and then its later version under live flows; returns how many probes agreed."""
    note(repr(before))
    first = Network(before.intent())
    if not is_valid(first):
        reject()
    second = Network(after.intent(), first)
    world.publish({})
    world.publish(documents(first))
    judge = Judge(world, first)
    told = agreed(judge)
    if not is_valid(second):
        return told
    streams = judge.streams()
    chosen = dict(sorted(streams.items(), key=lambda item: hash_of(item[0]))[:STREAMS])
    opened = world.tell(do="open", flows=[flow(probe) for probe in chosen])
    assert all(opened), [str(probe) for probe, is_open in zip(chosen, opened, strict=True) if not is_open]
    note(f"then {after!r}")
    world.publish(documents(second))
    settled = time.monotonic()
    time.sleep(AFTER)
    later = Judge(world, second)
    last, now = world.tell(do="look"), time.monotonic()
    world.tell(do="close")
    for (probe, said), moment in zip(chosen.items(), last, strict=True):
        what = later.said(probe)
        if not what.disposition.startswith("delivered"):
            assert moment < settled + ALIVE, f"{probe} is {what.disposition} now and goes on"
        elif same_way(said, what) and later.lives(probe, what):
            assert moment > now - ALIVE, f"{probe} is {what.disposition} as before and was cut"
    return told + agreed(later)


def agreed(judge: Judge) -> int:
    wrong = judge.differences()
    assert not wrong, "\n" + "\n".join(wrong)
    return len(judge.probes())


def hash_of(probe: object) -> str:
    """Some order that does not put all flows of one site first."""
    return str(probe)[::-1]
