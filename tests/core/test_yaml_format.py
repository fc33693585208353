"""The YAML of documents: round trips through our reader and PyYAML's."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as some

from provisioning.core.formats import yaml_format

TEXTS = some.text(some.characters(exclude_categories=["Cs", "Cc"]), max_size=20) | some.sampled_from(
    [
        "no",
        "0x10",
        "1_000",
        "1:30",
        "1e3",
        "0o17",
        "010",
        "~",
        "",
        "2026-01-01",
        "=",
        "<<",
        "a: b",
        "- x",
        " lead",
        "two\nlines",
        "word " * 50,
    ]
)
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(TEXTS, inner, max_size=4),
)


@given(VALUES)
@example({"no": ["no", False, None, "~", 1e300, [], {}]})
def test_written_yaml_is_read_back_by_us_and_by_pyyaml(value: Any) -> None:
    text = yaml_format.dump_yaml(value, width=120)
    assert yaml_format.load_yaml(text) == value
    assert yaml.safe_load(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"", None),
        (b"a: 2026-01-01", {"a": "2026-01-01"}),
        (b"a: [no, on, Yes, 0x10, 10, -7, .5, ~, True]", {"a": ["no", "on", "Yes", 16, 10, -7, 0.5, None, True]}),
        (b"ports: [20:21, 8000-8100, 443]", {"ports": ["20:21", "8000-8100", 443]}),
        (
            b"a: [65000:10, 12:30:45, 190:20:30.15, v1_0, 1.2.3.4]",
            {"a": ["65000:10", "12:30:45", "190:20:30.15", "v1_0", "1.2.3.4"]},
        ),
        (b"<<: {a: '1'}", {"<<": {"a": "1"}}),
    ],
)
def test_plain_scalars_are_read_as_the_core_schema_of_yaml_1_2_defines(text: bytes, value: Any) -> None:
    assert yaml_format.load_yaml(text) == value


@pytest.mark.parametrize(
    "text",
    [
        b"a: &a [x]\nb: *a",
        b"a: !!int 1",
        b"a: !x {}",
        b"a: 1\na: 2",
        b"1: 1\n1: 2",
        b"? [a]\n: b",
        b"a: 1\n---\nb: 2",
        b"a: 0x_",
        b"a: " + b"1" * 1001,
        b"[" * 33,
    ],
)
def test_yaml_that_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        yaml_format.load_yaml(text)


@pytest.mark.parametrize(
    "number", ["010", "-07", "0o17", "0b11", "1_000", "0x_1", "1e3", "1.5e3", "012345678901", "1_0.5"]
)
def test_a_number_that_another_version_of_yaml_reads_differently_is_refused_with_a_hint(number: str) -> None:
    with pytest.raises(ValueError, match=f"“{number}”.*quote it if it is a text"):
        yaml_format.load_yaml(f"a: {number}".encode())
    assert yaml_format.load_yaml(f"a: '{number}'".encode()) == {"a": number}
    assert yaml_format.dump_yaml({"a": number}, width=120) == f"a: '{number}'\n".encode()


def test_the_number_of_values_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_format, "MAX_VALUES", 10)
    yaml_format.load_yaml(b"[a, b, c, d, e, f, g, h, i]")
    with pytest.raises(ValueError, match="more than 10"):
        yaml_format.load_yaml(b"[a, b, c, d, e, f, g, h, i, j]")
