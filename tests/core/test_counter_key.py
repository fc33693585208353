"""Counter keys: one text for each value, read back as it was written."""

from __future__ import annotations

import pytest

from provisioning.core.values.counter_key import CounterKey, split_tenant

TEXTS = {
    "connector/a|corp|in|bytes": CounterKey("connector/a", "corp", "in", quantity="bytes"),
    "mesh/us|corp|out|packets": CounterKey("mesh/us", "corp", "out", quantity="packets"),
    "service/fw|corp|bytes": CounterKey("service/fw", "corp", quantity="bytes"),
    "instance/fw/eu/1|passed|bytes": CounterKey("instance/fw/eu/1", verdict="passed", quantity="bytes"),
    "instance/fw/eu/1|refused": CounterKey("instance/fw/eu/1", verdict="refused"),
    "spoof/a|corp": CounterKey("spoof/a", "corp"),
    "no-route/corp": CounterKey("no-route/corp"),
    "rule/corp/web|hits": CounterKey("rule/corp/web", quantity="hits"),
    "default-action/corp|denied": CounterKey("default-action/corp", verdict="denied"),
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_key_is_read_as_it_is_written(text: str) -> None:
    assert CounterKey.parse(text) == TEXTS[text]
    assert str(TEXTS[text]) == text


@pytest.mark.parametrize("segment", ["in", "out", "bytes", "hits", "denied"])
def test_a_segment_may_have_any_name(segment: str) -> None:
    for key in (CounterKey("connector/a", segment, "out", quantity="bytes"), CounterKey("spoof/a", segment)):
        assert CounterKey.parse(str(key)) == key
    service = CounterKey("service/fw", segment, quantity="bytes")
    assert CounterKey.parse(str(service)) == service


@pytest.mark.parametrize("text", ["", "tunnel/a|bytes", "connector/a|corp|out|bytes|more", "no-route/corp|x"])
def test_a_text_of_no_known_form_is_no_key(text: str) -> None:
    assert CounterKey.parse(text) is None


def test_a_node_reports_the_tenant_before_the_key() -> None:
    key = CounterKey("connector/a", "corp", "in", quantity="bytes")
    assert key.reported_by("acme") == "acme|connector/a|corp|in|bytes"
    assert split_tenant(key.reported_by("acme")) == ("acme", str(key))
