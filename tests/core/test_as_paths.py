"""Regular expressions over AS paths: their meaning on routers, and their running time."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.core.values.as_paths import AsPathPattern, BadAsPathPattern

PATHS = ("", "65001", "65001 65010", "1 65001", "650010")


@pytest.mark.parametrize(
    ("text", "matching"),
    [
        ("^$", {""}),
        ("", set(PATHS)),
        ("^65001$", {"65001"}),
        ("_65001_", {"65001", "65001 65010", "1 65001"}),
        ("^65001_", {"65001", "65001 65010"}),
        ("^[0-9]+$", {"65001", "650010"}),
        ("^(1 )?65001$", {"65001", "1 65001"}),
        ("65001 .*10$|^1", {"65001 65010", "1 65001"}),
        ("[^0-9]", {"65001 65010", "1 65001"}),
    ],
)
def test_a_pattern_matches_the_as_paths_that_it_matches_on_a_router(text: str, matching: set[str]) -> None:
    assert {path for path in PATHS if AsPathPattern(text).matches(path)} == matching


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="01 .()|*?^$", max_size=8), st.sampled_from(["", "0", "1 0", "11", "10 1 0"]))
def test_a_pattern_that_python_accepts_matches_the_same_paths(text: str, path: str) -> None:
    try:
        asked, python = AsPathPattern(text), re.compile(text)
    except (BadAsPathPattern, re.error):
        return
    assert asked.matches(path) == bool(python.search(path))


@pytest.mark.parametrize("text", ["(", ")", "*1", "a", "[", "[]", "[9-0]", "1{99999999999}", "(?=1)", "\\d", "^65001("])
def test_an_invalid_pattern_is_refused(text: str) -> None:
    with pytest.raises(BadAsPathPattern):
        AsPathPattern(text)


@pytest.mark.parametrize(
    "text", ["(((([0-9]*)*)*)*)* 1 1", "(.*" * 24 + ")" * 24 + "  ", "(4|4|2|[0-9]|.)+" * 6 + "1 1"]
)
def test_no_pattern_takes_exponential_time(text: str) -> None:
    began = time.monotonic()
    AsPathPattern(text).matches("4294967295 4294967295")
    assert time.monotonic() - began < 1
