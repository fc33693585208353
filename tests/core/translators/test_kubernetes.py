"""Network policies of Kubernetes and Cilium as tiers of policies between groups by label."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.translators.translation import BadSource
from tests.core.sample_networks import IntentBuilder
from tests.core.trace_queries import trace_disposition
from tests.core.translators.translating import draw, errors, notes, translate

POLICIES = "kubernetes-policies"
WEB, DB, JOBS, API, DNS, OTHER = (f"10.1.{number}.1" for number in range(6))


def pods(address: str, **labels: str) -> dict[str, Any]:
    prefix = f"{address.rpartition('.')[0]}.0/24"
    return {
        "name": "-".join(labels.values()) or "site",
        "kind": "lab-site",
        "exchange": "eu",
        "labels": labels,
        "attachments": [{"segment": "cluster", "prefixes": [prefix]}],
    }


@pytest.fixture(scope="module")
def cluster() -> IntentBuilder:
    return draw_with_pods("policies.yaml")


def draw_with_pods(source: str) -> IntentBuilder:
    site = pods("10.9.0.1")
    site["attachments"][0]["prefixes"] = ["10.9.0.0/16"]
    connectors = [
        pods(WEB, namespace="shop", app="web"),
        pods(DB, namespace="shop", app="db"),
        pods(JOBS, namespace="shop", app="jobs"),
        pods(API, namespace="shop", app="api"),
        {**pods(DNS, namespace="kube-system"), "labels": {"namespace": "kube-system", "namespace.team": "infra"}},
        pods(OTHER, namespace="other", app="web"),
        site,
        {"name": "exit", "kind": "internet-exit", "exchange": "eu", "attachments": [{"segment": "cluster"}]},
    ]
    exchanges = [{"name": "eu", "location": "aws-eu-central-1"}]
    return draw(translate(POLICIES, source), exchanges=exchanges, connectors=connectors)


@pytest.mark.parametrize(
    ("start", "end", "protocol", "port", "disposition"),
    [
        (WEB, DB, "tcp", 5432, "delivered"),
        (JOBS, DB, "tcp", 5432, "delivered"),
        # Ingress of the database: nothing but its port, and not from elsewhere.
        (JOBS, DB, "tcp", 22, "denied_by_rule"),
        (OTHER, DB, "tcp", 5432, "denied_by_rule"),
        ("10.9.0.5", DB, "tcp", 5432, "delivered"),
        ("10.9.1.5", DB, "tcp", 5432, "denied_by_rule"),
        # Egress of web allows every port; ingress of the database still has its say.
        (WEB, DB, "tcp", 22, "denied_by_rule"),
        (WEB, DNS, "udp", 53, "delivered"),
        (WEB, DNS, "tcp", 8050, "delivered"),
        (WEB, DNS, "tcp", 53, "denied_by_rule"),
        (WEB, JOBS, "tcp", 80, "denied_by_rule"),
        (WEB, "8.8.8.8", "tcp", 443, "denied_by_rule"),
        # Web's egress does not name the API, so its ingress from web is of no use.
        (WEB, API, "tcp", 443, "denied_by_rule"),
        (JOBS, API, "tcp", 443, "denied_by_rule"),
        (API, "8.8.8.8", "tcp", 443, "delivered"),
        (API, "8.8.8.8", "tcp", 80, "denied_by_rule"),
        # Nobody isolates these.
        (JOBS, OTHER, "tcp", 22, "delivered"),
        (JOBS, "8.8.8.8", "tcp", 80, "delivered"),
    ],
)
def test_flows_are_decided_as_the_cluster_decides_them(
    cluster: IntentBuilder, start: str, end: str, protocol: str, port: int, disposition: str
) -> None:
    assert trace_disposition(cluster, start, end, protocol, port) == disposition


def test_the_network_has_no_errors_and_groups_select_by_label(cluster: IntentBuilder) -> None:
    assert errors(cluster) == []
    selectors = {group["name"]: group["selector"] for group in translate(POLICIES, "policies.yaml").document["groups"]}
    assert selectors["namespace.team=infra"] == "namespace.team=infra"
    assert "app in (jobs, web), namespace=shop" in selectors.values()


def test_what_cannot_be_said_is_told_and_stays_denied() -> None:
    left_out = notes(translate(POLICIES, "policies.yaml"), "left_out")
    assert "names one" in left_out["TCP metrics"]
    assert left_out["egress rule"] == "It names hosts by name."
    assert "application protocol" in left_out["ingress rule"]
    assert left_out["Deployment"] == "It is not a network policy."
    assert "groups" in next(iter(notes(translate(POLICIES, "policies.yaml"), "needed")))


def test_an_empty_rule_of_kubernetes_allows_all_and_one_of_cilium_nothing() -> None:
    kubernetes = "kind: NetworkPolicy\nmetadata: {name: a, namespace: shop}\nspec: {podSelector: {}, ingress: [{}]}\n"
    assert trace_disposition(draw_with_pods(kubernetes), OTHER, WEB, "tcp", 80) == "delivered"
    cilium = (
        "kind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: shop}\nspec: {endpointSelector: {}, ingress: [{}]}\n"
    )
    assert trace_disposition(draw_with_pods(cilium), OTHER, WEB, "tcp", 80) == "denied_by_rule"


def test_a_chosen_segment_is_not_made_again() -> None:
    document = translate(POLICIES, "policies.yaml", segment="corp").document
    assert "segments" not in document
    assert {segment for policy in document["policies"] for segment in policy["segments"]} == {"corp"}


@pytest.mark.parametrize(
    "text",
    [
        "a: [\n",
        "- just\n- a list\n",
        "a: &x [1]\nb: *x\n",
        "a: !!python/object x\n",
        "a: " + "[" * 500 + "\n",
        b"a: \xff\n",
    ],
    ids=["broken", "list", "alias", "tag", "deep", "latin-1"],
)
def test_hostile_text_is_refused_with_its_place(text: str | bytes) -> None:
    with pytest.raises(BadSource) as refused:
        translate(POLICIES, text)
    assert refused.value.place.startswith("file-1")


@pytest.mark.parametrize(
    "spec",
    [
        "{podSelector: 5}",
        "{podSelector: {matchExpressions: [{key: a, operator: Like}]}}",
        "5",
        "{podSelector: {matchLabels: {a b: c}}}",
    ],
)
def test_a_policy_of_another_shape_is_left_out_or_read_as_empty(spec: str) -> None:
    translate(POLICIES, f"kind: NetworkPolicy\nmetadata: 7\nspec: {spec}\n")


def test_types_of_icmp_are_a_policy_for_each_family() -> None:
    source = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: ping, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
    - fromEndpoints: [{}]
      icmps:
        - fields: [{type: 8}, {type: Timestamp, family: IPv4}, {type: EchoRequest, family: IPv6}]
    - fromEndpoints: [{}]
      icmps: [{fields: [{type: Nothing}]}]
"""
    translation = translate(POLICIES, source)
    matches = [
        (rule["protocol"], rule["icmp_types"])
        for policy in translation.document["policies"]
        for rule in policy["rules"]
        if "icmp_types" in rule
    ]
    assert matches == [("icmp", ["echo-request", "timestamp-request"]), ("icmpv6", ["echo-request"])]
    assert any("ingress rule" in note for note in notes(translation, "left_out"))
    net = draw(translation, exchanges=[], connectors=[])
    assert not errors(net)
