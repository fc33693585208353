"""How finely rules may tell flows apart by source ports and DSCP: every part is decided for itself, for every
destination port that a rule names."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.intent.list_resolver import FlowMatch
from provisioning.core.resolve.network import Network
from provisioning.core.values.l4 import port_ranges
from provisioning.core.values.resource import Problem

MAX_CLASSES = 256
"""Parts of the line of source ports times parts of the code points, over all rules and assertions of a network."""


def check_header_classes(network: Network) -> Iterator[Problem]:
    """Refuse the first rule with which the source ports and DSCP of a network are cut into too many parts."""
    edges: set[int] = set()
    code_points: set[int] = set()
    for path, match in _matches(network):
        edges |= {edge for low, high in port_ranges(match.source_ports) for edge in (low, high + 1)}
        code_points |= set() if match.dscp is None else {match.dscp}
        if (len(edges) + 1) * (len(code_points) + 1) > MAX_CLASSES:
            message = (
                f"With it the rules and assertions of the network name {len(edges)} bounds of source ports and "
                f"{len(code_points)} DSCP values; one more than each, multiplied, may be {MAX_CLASSES} at most. Use "
                "the same ranges of source ports in several rules."
            )
            yield Problem("too_many_source_ports", path, message)
            return


def _matches(network: Network) -> Iterator[tuple[str, FlowMatch]]:
    """Yield what names source ports or a DSCP, with its path."""
    intent = network.intent
    listed: list[tuple[str, FlowMatch]] = [
        *(
            (f"policies/{policy.key}/rules[{index}]", rule)
            for policy in intent.policies.values()
            for index, rule in enumerate(policy.rules)
        ),
        *(
            (f"services/{service.key}/settings.rules[{index}]", rule)
            for service in intent.services.values()
            for index, rule in enumerate(service.firewall_rules)
        ),
    ]
    for assertion in intent.assertions.values():
        path = f"assertions/{assertion.key}"
        excepted = enumerate(assertion.except_)
        listed += [(path, assertion), *((f"{path}/except[{index}]", exception) for index, exception in excepted)]
    return ((path, match) for path, match in listed if match.source_ports or match.dscp is not None)
