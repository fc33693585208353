"""Regular expressions over AS paths: what they mean to a router, and that none of them takes long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.core.values.as_paths import AsPathPattern, BadAsPathPattern

PATHS = ("", "65001", "65001 65010", "1 65001", "650010")


@pytest.mark.parametrize(
    ("text", "found"),
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
def test_a_pattern_means_what_it_means_to_a_router(text: str, found: set[str]) -> None:
    assert {path for path in PATHS if AsPathPattern(text).matches(path)} == found


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="01 .()|*?^$", max_size=8), st.sampled_from(["", "0", "1 0", "11", "10 1 0"]))
def test_where_both_read_it_python_says_the_same(text: str, path: str) -> None:
    try:
        asked, python = AsPathPattern(text), re.compile(text)
    except (BadAsPathPattern, re.error):
        return
    assert asked.matches(path) == bool(python.search(path))


@pytest.mark.parametrize("text", ["(", ")", "*1", "a", "[", "[]", "[9-0]", "1{99999999999}", "(?=1)", "\\d", "^65001("])
def test_what_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(BadAsPathPattern):
        AsPathPattern(text)


@pytest.mark.parametrize(
    "text", ["(((([0-9]*)*)*)*)* 1 1", "(.*" * 24 + ")" * 24 + "  ", "(4|4|2|[0-9]|.)+" * 6 + "1 1"]
)
def test_no_pattern_takes_long(text: str) -> None:
    began = time.monotonic()
    AsPathPattern(text).matches("4294967295 4294967295")
    assert time.monotonic() - began < 1
