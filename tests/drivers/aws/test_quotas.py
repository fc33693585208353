"""A plan that exceeds an AWS quota is refused before it runs, and the quota is named."""

from __future__ import annotations

from provisioning.core.values.resource import Resource
from provisioning.drivers import exceeded_quotas
from provisioning.drivers.aws.cloud import AWS
from provisioning.drivers.quotas import find_exceeded_quotas
from tests.drivers.aws.testbed import example_resources


def test_an_ordinary_network_is_within_the_quotas() -> None:
    assert exceeded_quotas(example_resources("vpc-1")) == []


def test_eleven_segments_exceed_the_route_tables_of_a_gateway() -> None:
    resources = {
        each.address: each for number in range(11) for each in example_resources("vpc-1", segment=f"s{number}")
    }
    (problem,) = exceeded_quotas(resources.values())
    assert problem.code == "aws_tgw_route_tables" and problem.severity == "error"
    assert "22 route tables, AWS allows 20" in problem.message
    assert find_exceeded_quotas(AWS, resources.values(), {"aws_tgw_route_tables": 40}) == []


def test_resources_of_other_clouds_are_not_counted() -> None:
    assert exceeded_quotas([Resource(f"exchange/{n}", "exchange.presence", {}) for n in range(30_000)]) == []
