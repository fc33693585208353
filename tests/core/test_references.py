"""References between objects: by name, by name and kind; what is said of a name that means nothing here."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.intent import InvalidIntent
from tests.core.sample_networks import hospital_network, policy, site


@pytest.mark.parametrize(
    ("kind", "body", "path", "message"),
    [
        ("nat-rules", {"connector": "prod"}, "connector", "“prod” is a group, and a connector is meant here."),
        ("policies", {"from": ["twin"]}, "from[0]",
         "There is a group and a connector “twin”. Write groups/twin or connectors/twin."),
        ("policies", {"rules": [{"action": "allow", "destination": ["pypi.org"]}]}, "rules[0].destination[0]",
         "“pypi.org” is a domain name, and rules match addresses. Write its prefixes, or name a prefix list."),
        ("policies", {"rules": [{"action": "allow", "protocol": "tcpp", "ports": ["443"]}]}, "rules[0].protocol",
         "“tcpp” is not a protocol. Use any, tcp, udp, icmp, icmpv6 or a number to 255."),
    ],
)  # fmt: skip
def test_a_problem_is_told_once_and_by_what_a_name_means(
    kind: str, body: dict[str, Any], path: str, message: str
) -> None:
    draw = hospital_network()
    draw.add("groups", {"name": "twin"})
    draw.add("connectors", site("twin", "eu", None, "10.70.0.0/16"))
    whole = {
        "nat-rules": {
            "name": "n",
            "position": 1,
            "segment": "corp",
            "direction": "outbound",
            "source": {"type": "pool", "prefixes": ["100.64.9.0/30"]},
        },
        "policies": policy("p", 1, "any", "any", {"action": "allow"}),
    }[kind]
    with pytest.raises(InvalidIntent) as refused:
        draw.add(kind, {**whole, **body})
    assert [(problem.path, problem.message) for problem in refused.value.problems] == [(path, message)]


def test_a_reference_may_say_its_kind() -> None:
    draw = hospital_network()
    group = draw.add("groups", {"name": "twin"})
    connector = draw.add("connectors", site("twin", "eu", None, "10.70.0.0/16"))
    uid = draw.add("policies", {**policy("p", 1, "groups/twin", "connectors/twin", {"action": "allow"})})
    assert (draw.rows[uid][4]["from"], draw.rows[uid][4]["to"]) == ([group], [connector])
