"""Texts that people paste: a run of a megabyte of one character is looked at once, not from each of its characters."""

from __future__ import annotations

import pytest

from provisioning.core.formats.flow_list import read_flow_text
from provisioning.core.translators import firewall_addresses
from provisioning.core.values.labels import BadLabel, parse_selector

LONG = 1_000_000


@pytest.mark.timeout(20)
@pytest.mark.parametrize("character", [" ", "-", ",", "=", "1", ".", "[", "/", ":", "\t"])
def test_long_runs_take_no_square_of_time(character: str) -> None:
    text = f"a{character * LONG}b"
    assert len(read_flow_text(text)) == 1
    assert firewall_addresses.split(text)
    with pytest.raises(BadLabel):
        parse_selector(text)


@pytest.mark.parametrize(
    "line", ["a -> b tcp 443", "a-->b tcp/443", "a  =>  b 443/tcp", "a to  b tcp 443", "a → b tcp:443"]
)
def test_the_arrow_of_a_line_parts_its_ends(line: str) -> None:
    [flow] = read_flow_text(line)
    assert flow.query is not None
    assert (flow.query.source, flow.query.destination) == ("a", "b")
    assert (str(flow.query.protocol), str(flow.query.port)) == ("tcp", "443")


def test_a_number_behind_icmp_is_its_type() -> None:
    [flow] = read_flow_text("a -> b icmp/13")
    assert flow.query is not None and (flow.query.icmp_type, flow.query.port) == ("13", None)
