"""docs/semantics.md, “`any` and the internet”: every docstring quotes the sentence it tests."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.check import check_network
from provisioning.core.reach import check_assertions, reachable_flows
from tests.core.document_networks import build_document
from tests.core.sample_networks import TODAY, IntentBuilder, hospital_network, policy, site
from tests.core.trace_queries import (
    run_trace,
    trace_disposition,
)

DENY, ALLOW = {"action": "deny"}, {"action": "allow"}


def test_any_is_never_the_internet() -> None:
    """“`any` means all connectors of the segment … and never the internet”"""
    net = hospital_network()
    net.add("policies", policy("p", 1, "any", "any", ALLOW))
    assert trace_disposition(net, "vpc-dev", "internet", "tcp", 80) == "denied_by_default"


def test_the_default_action_never_covers_the_internet() -> None:
    """“The default action never covers it: flows to or from it need a rule that names `internet`”"""
    net = hospital_network()
    assert trace_disposition(net, "vpc-prod", "internet", "tcp", 443) == "delivered"
    assert trace_disposition(net, "hospital-a", "internet", "tcp", 443) == "denied_by_default", "corp allows by default"


def test_no_exit_leads_to_private_addresses() -> None:
    """“`internet` stands for what lies behind an internet exit”"""
    net = hospital_network()
    net.add("policies", policy("out", 1, "any", "internet", ALLOW))
    assert trace_disposition(net, "vpc-prod", "8.8.8.8") == "delivered"
    for address in ("10.99.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "224.0.0.1"):
        assert trace_disposition(net, "vpc-prod", address) == "no_route", address


def exits(*more: tuple[str, str, int]) -> IntentBuilder:
    net = hospital_network()
    net.add("exchanges", {"name": "ie", "location": "aws-eu-west-1"})
    net.add("policies", policy("out", 1, "any", "internet", ALLOW))
    net.add("connectors", site("dublin", "ie", None, "10.7.0.0/16"))
    for name, exchange, preference in more:
        body = {"kind": "internet-exit", "exchange": exchange, "attachments": [{"segment": "corp"}]}
        net.add("connectors", {**body, "name": name, "preference": preference})
    return net


@pytest.mark.parametrize(
    ("more", "start", "chosen"),
    [
        ([("exit-us", "us", 900)], "hospital-a", "exit-eu"),
        ([("exit-us", "us", 200)], "dublin", "exit-us"),
        ([("exit-us", "us", 100)], "dublin", "exit-eu"),
        ([("exit-us", "us", 100)], "hospital-b", "exit-us"),
        ([("exit-2", "eu", 200)], "hospital-a", "exit-2"),
    ],
)
def test_the_exit_is_chosen_by_exchange_preference_and_distance(more: Any, start: str, chosen: str) -> None:
    """“Exit choice: same exchange, then highest preference, then nearest”"""
    trace = run_trace(exits(*more), start, "internet", "tcp", 443)
    assert [hop.name for hop in trace.hops if hop.kind == "connector"][-1] == chosen


def published() -> IntentBuilder:
    net = hospital_network()
    target = {"connector": "vpc-prod", "addresses": ["10.1.2.3"], "port": 8443}
    net.add("internet-apps", {"name": "shop", "connector": "exit-eu", "port": 443, "target": target})
    return net


@pytest.mark.parametrize(
    ("rules", "disposition"),
    [
        ([], "denied_by_default"),
        ([("internet", "shop", ALLOW)], "delivered"),
        ([("internet", "shop", DENY)], "denied_by_rule"),
        ([("internet", "any", ALLOW)], "denied_by_default"),
        ([("internet", "prod", ALLOW)], "denied_by_default"),
        ([("any", "any", ALLOW)], "denied_by_default"),
    ],
)
def test_the_internet_reaches_only_applications_that_a_policy_allows(rules: Any, disposition: str) -> None:
    """“From the internet only an internet application can be reached (it is its own implicit group), and only when a
    policy allows it.”"""
    net = published()
    for position, (start, end, rule) in enumerate(rules):
        net.add("policies", policy(f"p{position}", position, start, end, rule))
    assert trace_disposition(net, "internet", "shop", "tcp", 443) == disposition
    assert trace_disposition(net, "internet", "vpc-prod", "tcp", 443) == "no_route"
    assert trace_disposition(net, "internet", "203.0.113.1", "tcp", 444) == "no_route"


@pytest.mark.parametrize(
    ("start", "end", "rule", "disposition"),
    [
        ("vpc-dev", "shop", ALLOW, "delivered"),
        ("dev", "shop", ALLOW, "delivered"),
        ("any", "shop", ALLOW, "delivered"),
        ("any", "shop", DENY, "denied_by_rule"),
        ("hospital-a", "shop", ALLOW, "denied_by_default"),
        ("internet", "shop", ALLOW, "denied_by_default"),
        ("any", "any", ALLOW, "denied_by_default"),
        ("any", "vpc-prod", ALLOW, "denied_by_default"),
        ("any", "internet", ALLOW, "denied_by_default"),
    ],
)
def test_a_member_reaches_an_application_when_a_policy_names_the_two(
    start: str, end: str, rule: Any, disposition: str
) -> None:
    """“A member of its segment reaches an application by its public address too, when a policy from the member to the
    application allows it.”"""
    net = published()
    net.add("policies", policy("p", 1, start, end, rule))
    public = public_address(net, "eu/1")
    for target in ("shop", public):
        assert trace_disposition(net, "vpc-dev", target, "tcp", 443) == disposition


def public_address(net: IntentBuilder, node: str) -> str:
    return net.network().nodes_by_id[node].public_ip


@pytest.mark.parametrize("source_nat", [True, False])
@pytest.mark.parametrize("start", ["vpc-dev", "vpc-prod", "hospital-b"])
def test_a_flow_from_inside_to_an_application_goes_by_its_home_and_back(start: str, source_nat: bool) -> None:
    """“The flow is decided at the application's home, and its target sees it come from an address of that node, so that
    answers come back the same way.”"""
    net = published()
    net.edit("internet-apps", "shop", source_nat=source_nat)
    net.add("policies", policy("p", 1, "any", "shop", ALLOW))
    trace = run_trace(net, start, "shop", "tcp", 443)
    assert trace.disposition == "delivered" and trace.return_ is not None
    kinds = [(hop.kind, hop.name) for hop in trace.hops]
    assert kinds[0] == ("connector", start) and kinds[-1] == ("connector", "vpc-prod")
    home, app = (next(hop for hop in trace.hops if hop.kind == kind) for kind in ("node", "app"))
    deciding = next(hop for hop in trace.hops if "keeps the flow's state" in hop.detail)
    assert deciding.name == "eu/1" and home.kind == "node"
    node = net.network().nodes_by_id["eu/1"]
    assert app.detail.endswith(f"10.1.2.3:8443; the client appears as 100.127.255.{node.mesh_index}")
    assert ("app", "shop") in [(hop.kind, hop.name) for hop in trace.return_.hops]


def test_no_exit_leads_to_our_own_public_addresses() -> None:
    """“No exit leads to our own public addresses, of nodes and of applications: where no application of the segment is
    there, a packet from inside has no route.”"""
    net = published()
    net.add("policies", policy("out", 1, "any", "internet", ALLOW))
    net.add("policies", policy("in", 2, "any", "shop", ALLOW))
    public = public_address(net, "eu/1")
    for protocol, port in (("tcp", 444), ("udp", 443), ("icmp", None)):
        trace = run_trace(net, "vpc-dev", public, protocol, port)
        assert (trace.disposition, trace.return_) == ("no_route", None)
        assert trace.hops[-1].reason == "At this public address of ours there is “shop” (tcp/443) and nothing else."
    assert trace_disposition(net, "vpc-dev", public_address(net, "us/2"), "tcp", 443) == "no_route"
    assert trace_disposition(net, "vpc-dev", "198.51.100.7", "tcp", 443) == "delivered"
    net.add("connectors", {"name": "exit-guest", "kind": "internet-exit", "exchange": "eu",
                           "attachments": [{"segment": "guest"}]})  # fmt: skip
    net.add("policies", policy("guests", 3, "any", "internet", ALLOW, segments=["guest"]))
    for address in (public, "192.88.10.7"):
        net.edit("internet-apps", "shop", public_ip=address)
        assert trace_disposition(net, "vpc-dev", address, "tcp", 443) == "delivered"
        trace = run_trace(net, "lobby", address, "tcp", 443)
        assert trace.disposition == "no_route", "it is of another segment"
        assert trace.hops[-1].reason == "This public address is ours; no application of segment “guest” is there."
    assert trace_disposition(net, "lobby", "192.88.10.8", "tcp", 443) == "delivered"


def default_route(action: str, *, has_exit: bool) -> IntentBuilder:
    """Return a hospital whose headquarters have a default route, with a policy about the internet."""
    net = hospital_network()
    net.add("connectors", site("hq", "us", None, "0.0.0.0/0", "198.51.100.0/24"))
    net.add("policies", policy("net", 1, "any", "internet", {"action": action}))
    if not has_exit:
        net.remove("connectors", "exit-eu")
    return net


@pytest.mark.parametrize("has_exit", [True, False])
@pytest.mark.parametrize(("action", "default"), [("allow", "deny"), ("deny", "allow")])
def test_the_internet_behind_a_default_route_gets_one_answer(has_exit: bool, action: str, default: str) -> None:
    """“Public addresses behind a member's default route are that member's”"""
    net = default_route(action, has_exit=has_exit)
    net.edit("segments", "corp", default_action=default)
    passes = default == "allow"
    for start, end in (
        ("vpc-dev", "internet"),
        ("vpc-dev", "8.8.8.8"),
        ("internet", "vpc-dev"),
        ("8.8.8.8", "vpc-dev"),
    ):
        wanted = "delivered" if passes else "denied_by_default"
        assert trace_disposition(net, start, end, "tcp", 443) == wanted, (start, end)
    for name, start, end in (("out", "vpc-dev", "internet"), ("in", "internet", "vpc-dev"), ("hq", "hq", "internet")):
        for expect in ("reachable", "blocked"):
            net.add("assertions", {"name": f"{name} {expect}", "from": start, "to": end, "expect": expect})
    held = {result.name: result.holds for result in check_assertions(net.network(), TODAY)}
    assert (held["out reachable"], held["out blocked"], held["in reachable"], held["in blocked"]) == (
        passes, not passes, passes, not passes,
    )  # fmt: skip
    assert held["hq reachable"], "its own default route leads there"
    out, into = (reachable_flows(net.network(), "internet", towards) for towards in (True, False))
    assert bool(out) == bool(into) == passes
    assert all(name.startswith("hq (") for row in out for name in row.to), "and not what hq has by a longer prefix"
    assert not any(row.example.destination.startswith("198.51.100.") for row in out)


def test_where_an_exit_and_a_default_route_meet_a_warning_names_both() -> None:
    """“Public addresses behind a member's default route are that member's”"""
    codes = {problem.code: problem for problem in check_network(default_route("deny", has_exit=True).network())}
    assert "“exit-eu”" in codes["exit_unused"].message and "“hq”" in codes["exit_unused"].message
    assert codes["internet_behind_member"].path == "policies/net/to[0]"
    codes = {problem.code: problem for problem in check_network(default_route("deny", has_exit=False).network())}
    assert "internet_behind_member" in codes and "no_exit" not in codes and "exit_unused" not in codes
    assert not {"exit_unused", "internet_behind_member"} & {p.code for p in check_network(exits().network())}


def test_ipv6_addresses_of_the_internet_are_behind_a_default_route_too() -> None:
    """“Public addresses behind a member's default route are that member's”"""
    net = hospital_network()
    net.add("connectors", site("hq", "us", None, "::/0"))
    net.add("connectors", site("lab", "us", None, "fd00:7::/48"))
    assert trace_disposition(net, "lab", "internet", "tcp", 443) == "delivered"
    assert trace_disposition(net, "internet", "lab", "tcp", 443) == "delivered"
    net.add("assertions", {"name": "closed", "from": "lab", "to": "internet", "expect": "blocked"})
    assert not next(result for result in check_assertions(net.network(), TODAY) if result.name == "closed").holds


def test_an_application_is_reached_from_outside_wherever_else_a_default_route_is() -> None:
    """“From the internet only an internet application can be reached”"""
    net = published()
    net.add("policies", policy("in", 1, "internet", "shop", ALLOW))
    net.add("connectors", site("guest-hq", "us", None, "0.0.0.0/0", segment="guest"))
    public = run_trace(net, "internet", "shop").hops[-1]
    for start in ("internet", "8.8.8.8"):
        trace = run_trace(net, start, "shop")
        assert (trace.disposition, trace.hops[-1]) == ("delivered", public), start


def test_an_application_belongs_to_the_segment_where_its_target_has_the_address() -> None:
    """“From the internet only an internet application can be reached”"""
    net = build_document(
        {
            "exchanges": [{"name": "eu", "location": "aws-eu-central-1"}],
            "segments": [{"name": "first"}, {"name": "second"}],
            "connectors": [
                {
                    "name": "dc",
                    "kind": "lab-site",
                    "exchange": "eu",
                    "attachments": [
                        {"segment": "first", "prefixes": ["0.0.0.0/0"]},
                        {"segment": "second", "prefixes": ["10.10.0.0/24"]},
                    ],
                },
                {
                    "name": "exit",
                    "kind": "internet-exit",
                    "exchange": "eu",
                    "attachments": [{"segment": "first"}, {"segment": "second"}],
                },
            ],
            "internet-apps": [
                {
                    "name": "shop",
                    "connector": "exit",
                    "port": 443,
                    "target": {"connector": "dc", "addresses": ["10.10.0.9"], "port": 8443},
                }
            ],
            "shares": [
                {
                    "name": "both",
                    "a": {"segment": "first", "prefixes": ["10.9.0.0/16"]},
                    "b": {"segment": "second", "prefixes": ["10.10.0.0/16"]},
                    "direction": "both",
                }
            ],
            "policies": [policy("in", 1, "internet", "shop", ALLOW, segments=["second"])],
        }
    )
    # The first segment sends what is for the address over the share, so its default route does not have it.
    assert trace_disposition(net, "internet", "shop") == "delivered"
