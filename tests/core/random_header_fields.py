"""Random fields of rules that tell headers of packets apart."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st


@st.composite
def narrowing_fields(draw: st.DrawFn, protocol: Any, often: int = 4) -> dict[str, Any]:
    """Draw source ports, ICMP types and DSCP for a rule of a protocol or several, each once in ``often`` rules."""
    seldom = st.sampled_from([True] + [False] * (often - 1))
    protocols = protocol if isinstance(protocol, list) else [protocol]
    fields: dict[str, Any] = {}
    if set(protocols) <= {"tcp", "udp"} and draw(seldom):
        fields["source_ports"] = draw(st.sampled_from([["1024-65535"], ["53", "1024-2000"], [53], ["any"]]))
    if protocols[0] in (1, "icmp") and len(protocols) == 1 and draw(seldom):
        fields["icmp_types"] = draw(st.sampled_from([["echo-request"], [8, "13"], ["destination-unreachable"], [3, 8]]))
    if draw(seldom):
        fields["dscp"] = draw(st.sampled_from([0, 46, "EF", "af11"]))
    return fields
