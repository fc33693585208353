"""Compare the core with the reference evaluator where route policies set and match communities."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.check import check_network
from provisioning.core.resolve.network import Network
from tests.core.failing_case import format_failing_case
from tests.core.random_routes import routed_networks
from tests.core.reference_evaluator import ReferenceEvaluator
from tests.core.sample_networks import IntentBuilder
from tests.core.test_reference_evaluator import flows, presented, reach_agrees, reference_settings, trace_agrees


@reference_settings(60)
@given(routed_networks(), st.integers(0, 100))
def test_traces_reach_and_told_rules_agree_with_the_reference_evaluator(net: IntentBuilder, seed: int) -> None:
    reference, rng = ReferenceEvaluator(net), random.Random(seed)
    trace_agrees(net, flows(reference, rng, 60))
    reach_agrees(net, presented(reference, rng, 30))
    _told_rules_do_nothing(net, seed, 20)


def _told_rules_do_nothing(net: IntentBuilder, seed: int, count: int) -> None:
    """Without the rules of route policies that match no route, as warnings say, every packet fares alike."""
    rng, reference, lighter = random.Random(seed), ReferenceEvaluator(net), net.copy()
    places = [problem.path for problem in check_network(Network(net.intent())) if problem.code == "never_matches"]
    for row in reference.rows.of("route-policies"):
        kept = [rule for index, rule in enumerate(row.body["rules"]) if not _is_told(row.key, index, places)]
        lighter.edit("route-policies", row.uid, rules=kept)
    without = ReferenceEvaluator(lighter)
    for segment, connector, packet in flows(reference, rng, count if places else 0):
        outcomes = [evaluator.sent(segment, connector, packet) for evaluator in (reference, without)]
        assert outcomes[0] == outcomes[1], format_failing_case(net, packet=str(packet), told=str(places))


def _is_told(key: str, index: int, places: list[str]) -> bool:
    start = f"route-policies/{key}/rules[{index}]"
    return any(path == start or path.startswith(f"{start}.") for path in places)
