"""The last day of a rule is warned about; the rule stays."""

from __future__ import annotations

from datetime import date

import pytest

from provisioning.core.check.expiry import check_expiry
from tests.core.sample_networks import IntentBuilder, hospital_network, policy
from tests.core.trace_queries import run_trace

TODAY = date(2026, 12, 1)


def network_with(**rule: str) -> IntentBuilder:
    net = hospital_network()
    net.add("policies", policy("p", 1, "any", "any", {"name": "guest", "action": "deny", **rule}))
    return net


@pytest.mark.parametrize(
    ("until", "code"),
    [
        ("2026-11-30", "expired"),
        ("2026-12-01", "expires_soon"),
        ("2026-12-15", "expires_soon"),
        ("2026-12-16", None),
    ],
)
def test_the_last_day_of_a_rule_is_warned_about_14_days_before_and_afterwards(until: str, code: str | None) -> None:
    net = network_with(until=until)
    problems = [(problem.code, problem.path, problem.severity) for problem in check_expiry(net.intent(), TODAY)]
    assert problems == ([(code, "policies/p/rules[0].until", "warning")] if code else [])
    assert run_trace(net, "hospital-a", "vpc-dev").rule == "p/guest", "it holds until somebody removes it"


def test_a_disabled_rule_and_one_without_a_last_day_are_not_warned_about() -> None:
    assert not [*check_expiry(network_with(until="2026-11-30", mode="disabled").intent(), TODAY)]
    assert not [*check_expiry(network_with().intent(), TODAY)]
