"""Internet applications of a segment on their exits' home node: one namespace that translates their connections.

The segment decides about a connection by what it says on the internet (client, public address, public port) and sends
it through services like that. Then it goes through here and comes back as what the target sees, to be delivered.
Replies come by here first: the target's exchange sends them to the exit's home node, as any flow to the internet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provisioning.agent import marks, ranges
from provisioning.agent.render_exit import CLAMP
from provisioning.agent.render_links import APPS, INSIDE, app_namespace, wire_neighbours
from provisioning.agent.view import Segment
from provisioning.agent.wanted import Link, Namespace, Route, Rules


def namespaces(segment: Segment) -> list[Namespace]:
    if not segment.apps:
        return []
    numbered = list(enumerate(sorted(segment.apps, key=lambda app: str(app["id"])), start=1))
    hidden = sorted({app["source_nat"] for app in segment.apps if app["source_nat"]})
    return [
        Namespace(
            name=app_namespace(segment),
            sections=segment.sections,
            links=(Link(INSIDE, "veth", mac=marks.wire_mac(marks.FAR), peer=(segment.namespace, APPS)),),
            neighbours=frozenset(wire_neighbours(INSIDE, marks.NEAR, (ranges.IP4,))),
            routes=frozenset({Route("0.0.0.0/0", marks.NEAR, INSIDE)}),
            rules=Rules(
                sets={"hidden": "set { type ipv4_addr; }"},
                elements={"hidden": tuple(hidden)},
                chains={
                    "to": (
                        "type nat hook prerouting priority dstnat; policy accept;",
                        tuple(line for number, app in numbered for line in _to(number, app)),
                    ),
                    "from": (
                        "type nat hook postrouting priority srcnat; policy accept;",
                        tuple(
                            f"ct mark {number} snat ip to {app['source_nat']}"
                            for number, app in numbered
                            if app["source_nat"]
                        ),
                    ),
                    # What a target says to the internet of its own comes by too where clients keep their addresses.
                    "leave": (
                        "type filter hook forward priority filter; policy accept;",
                        ("ct status dnat accept", "ip daddr @hidden drop"),
                    ),
                    "clamp": CLAMP,
                    "input": ("type filter hook input priority filter; policy drop;", ()),
                },
            ),
        )
    ]


def _to(number: int, app: Mapping[str, Any]) -> Iterator[str]:
    """A client keeps its target for as long as the targets stay the same."""
    match = f"ip daddr {app['public']} meta l4proto {app['protocol']} th dport {app['port']} ct mark set {number}"
    targets = app["targets"]
    chosen = str(targets[0])
    if len(targets) > 1:
        table = ", ".join(f"{place} : {target}" for place, target in enumerate(targets))
        chosen = f"jhash ip saddr mod {len(targets)} map {{ {table} }}"
        yield f"{match} dnat ip to {chosen} : {app['target_port']}"
    else:
        yield f"{match} dnat ip to {chosen}:{app['target_port']}"
