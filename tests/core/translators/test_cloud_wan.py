"""Policy documents of AWS Cloud WAN as segments, groups by label and shares."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.translators.translation import BadSource
from tests.core.sample_networks import IntentBuilder
from tests.core.trace_queries import trace_disposition
from tests.core.translators.translating import draw, errors, notes, translate

CLOUD_WAN = "aws-cloud-wan"


def site(name: str, segment: str, *prefixes: str, **labels: str) -> dict[str, Any]:
    attachments = [{"segment": segment, "prefixes": list(prefixes)}]
    return {"name": name, "kind": "lab-site", "exchange": "eu-central-1", "labels": labels, "attachments": attachments}


@pytest.fixture(scope="module")
def core_network() -> IntentBuilder:
    connectors = [
        site("prod-a", "production", "10.1.0.0/16", env="prod"),
        site("prod-b", "production", "10.2.0.0/16", "10.66.0.0/16", critical="yes"),
        site("dev-a", "development", "10.3.0.0/16", env="dev"),
        site("dev-b", "development", "10.4.0.0/16"),
        site("dns", "shared", "10.5.0.0/16"),
    ]
    return draw(translate(CLOUD_WAN, "core-network.json"), connectors=connectors)


@pytest.mark.parametrize(
    ("start", "end", "segment", "disposition"),
    [
        ("10.1.0.1", "10.2.0.1", "production", "denied_by_default"),
        ("10.3.0.1", "10.4.0.1", "development", "delivered"),
        ("10.1.0.1", "10.5.0.1", "production", "delivered"),
        ("10.5.0.1", "10.3.0.1", "shared", "delivered"),
        ("10.1.0.1", "10.3.0.1", "production", "no_route"),
        ("10.1.0.1", "10.66.0.1", "production", "denied_by_rule"),
    ],
)
def test_flows_are_decided_as_the_core_network_decides_them(
    core_network: IntentBuilder, start: str, end: str, segment: str, disposition: str
) -> None:
    assert trace_disposition(core_network, start, end, "tcp", 443, segment=segment) == disposition


def test_the_network_has_no_errors_and_each_pair_is_shared_once(core_network: IntentBuilder) -> None:
    assert errors(core_network) == []
    document = translate(CLOUD_WAN, "core-network.json").document
    assert [share["name"] for share in document["shares"]] == ["shared production", "shared development"]
    assert document["exchanges"] == [{"name": "eu-central-1", "location": "aws-eu-central-1"}]


def test_tags_become_labels_that_groups_select() -> None:
    groups = {group["name"]: group for group in translate(CLOUD_WAN, "core-network.json").document["groups"]}
    assert groups["production"]["contains"] == ["production env=prod", "production critical"]
    assert groups["production env=prod"]["selector"] == "env=prod"
    # One condition of an “and” cannot be said, so the whole rule is not: it would select more.
    assert "development" not in groups


def test_what_cannot_be_said_is_told() -> None:
    translation = translate(CLOUD_WAN, "core-network.json")
    left_out = notes(translation, "left_out")
    assert {"asn-ranges", "edge location ap-south-2", "segment by the tag segment"} <= left_out.keys()
    assert "attachment-type equals vpc" in left_out
    assert "route of 0.0.0.0/0 to attachment-0a1b2c3d" in left_out
    assert "shared: require-attachment-acceptance" in left_out
    assert "development: require-attachment-acceptance" not in left_out


@pytest.mark.parametrize(
    "text",
    [
        "{\n",
        "[\n]",
        '{"segments":\n"x"}',
        "[" * 100_000 + "\n",
        '{"segments": [\n{"name": NaN}]}',
        '{"segments": [{}],\n"segment-actions": [5]}'.replace("[{}]", "[]"),
    ],
)
def test_hostile_text_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(BadSource) as refused:
        translate(CLOUD_WAN, text)
    assert refused.value.place.startswith("file-1")


def test_values_of_another_type_are_told_or_left_out() -> None:
    actions = '"segment-actions": [{"action": 7, "segment": []}], "attachment-policies": [{"action": 1}]'
    text = f'{{"segments": [\n{{"name": 5}}, {{}}], {actions}, "core-network-configuration": 5}}'
    assert [segment["name"] for segment in translate(CLOUD_WAN, text).document["segments"]] == ["5", "unnamed"]
