"""Bounds of benchmarks on a machine of another speed."""

from __future__ import annotations

from tests.bench import Figure


def test_bounds_in_units_of_time_follow_the_machine_and_others_stay() -> None:
    assert Figure("takes", 0.9, "s", bound=0.5).scaled(2.0).is_within_bound
    assert not Figure("takes", 1.1, "s", bound=0.5).scaled(2.0).is_within_bound
    assert not Figure("is large", 600, "KiB", bound=500).scaled(2.0).is_within_bound
    assert not Figure("grows", 1.2, "", bound=1.0).scaled(2.0).is_within_bound
    assert not Figure("is slower than the library", 0.9, "s", bound=0.5, is_relative=True).scaled(2.0).is_within_bound
