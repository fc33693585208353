"""What a connector's link cannot carry is a problem of the network."""

from __future__ import annotations

from provisioning.core.check import check_network
from tests.core.sample_networks import hospital_network, site, vpc


def test_an_ipv6_prefix_on_an_aws_connector_is_an_error_and_elsewhere_none() -> None:
    draw = hospital_network()
    draw.add("connectors", site("lab", "eu", "sites", "2001:db8:1::/48"))
    aws = vpc("six", "eu", "prod", "10.77.0.0/16", "vpc-66")
    aws["attachments"][0]["prefixes"].append("2001:db8:2::/48")
    draw.add("connectors", aws)
    [problem] = [problem for problem in check_network(draw.network()) if problem.code == "not_carried"]
    assert problem.path == "connectors/six/attachments[0].prefixes[1]"
    assert problem.severity == "error" and "2001:db8:2::/48" in problem.message and "IPv4 only" in problem.message


def test_an_ipv6_prefix_that_nat_presents_for_an_aws_connector_is_an_error_too() -> None:
    draw = hospital_network()
    pool = {"type": "pool", "prefixes": ["2001:db8:3::/64"]}
    rule = {"name": "out", "segment": "corp", "connector": "vpc-prod", "position": 10, "direction": "outbound"}
    draw.add("nat-rules", {**rule, "source": pool})
    assert "not_carried" in {problem.code for problem in check_network(draw.network())}
