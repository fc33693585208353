"""The sentences and figures of a plan's page, derived from the plan's JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from portal.pages import plan_review, rebasing
from portal.pages.diff_words import DiffWords

OPENED = {
    "from_": ["prod"],
    "to": ["dev"],
    "segment": "corp",
    "protocol": "tcp",
    "ports": ["443"],
    "via": [],
    "example": {"source": "10.1.0.2", "destination": "10.4.0.2", "protocol": "tcp", "port": 443},
    "rule_before": None,
    "rule_after": "prod-to-dev/main",
}


def test_an_allowed_flow_is_a_sentence_with_an_example_and_its_cause() -> None:
    (row,) = plan_review.reachability_sentences({"allowed": [OPENED], "blocked": [], "inspected": []})
    assert (row["from"], row["verb"], row["to"], row["flow"]) == ("prod", "can now reach", "dev", "tcp/443")
    assert row["example"] == "10.1.0.2 → 10.4.0.2 tcp/443"
    assert [(decision["words"], decision["before"]) for decision in row["decided"]] == [
        ("policy prod-to-dev, rule main", False),
        ("the default action of corp", True),
    ]


def test_a_flow_across_a_share_names_both_segments_and_the_whole_chain() -> None:
    change = {**OPENED, "to_segment": "clinical", "via": ["fw", "proxy"], "rule_after": "share/partners"}
    (row,) = plan_review.reachability_sentences({"allowed": [change]})
    assert (row["segment"], row["to_segment"], row["through"]) == ("corp", "clinical", "fw, then proxy")
    assert [decision["words"] for decision in row["decided"]] == ["share partners", "no share between these addresses"]


def test_a_flow_that_no_rule_decides_has_a_reason() -> None:
    cut = {**OPENED, "rule_before": "prod-to-dev/main", "rule_after": None, "fate_before": "delivered"}
    reasons = {
        "denied_by_default": "the default action of corp",
        "no_route": "a route policy, which gives it no route",
        None: "no such address in corp",
    }
    for fate, words in reasons.items():
        (row,) = plan_review.reachability_sentences({"blocked": [{**cut, "fate_after": fate}]})
        assert [decision["words"] for decision in row["decided"]] == [words, "policy prod-to-dev, rule main"]
    (row,) = plan_review.reachability_sentences({"blocked": [{**cut, "to_segment": "labs", "fate_after": None}]})
    assert row["decided"][0]["words"] == "no share between these addresses"


def test_several_ends_are_listed_as_in_a_sentence() -> None:
    change = {**OPENED, "from_": ["dev", "prod", "staff"], "to": ["internet"], "ports": [], "protocol": "any"}
    (row,) = plan_review.reachability_sentences({"blocked": [change]})
    assert (row["from"], row["to"], row["flow"], row["word"]) == (
        "dev, prod and staff",
        "the internet",
        "any port",
        "block",
    )


def test_a_flow_that_is_no_longer_inspected_is_listed_as_such() -> None:
    (through,) = plan_review.reachability_sentences({"inspected": [{**OPENED, "via": ["fw"]}]})
    assert (through["verb"], through["through"], through["action"]) == ("reaches", "fw", "inspect")
    (free,) = plan_review.reachability_sentences({"inspected": [OPENED]})
    assert (free["verb"], free["action"]) == ("is no longer inspected on the way to", "allow")


def test_removals_are_listed_first_and_fields_one_per_line() -> None:
    listed: list[dict[str, Any]] = [
        {
            "action": "change",
            "address": "exchange/eu/1/segment/corp",
            "kind": "exchange.segment",
            "fields": [{"path": "rules[a].ports", "before": None, "after": ["443"]}],
        },
        {"action": "remove", "address": "aws/123/eu-central-1/tgw", "kind": "aws.transit-gateway", "fields": []},
    ]
    rows = plan_review.step_rows(listed, {("exchanges", "eu"): "London Core!"})
    assert [step["action"] for step in rows] == ["remove", "change"]
    assert [step["where"] for step in rows] == ["eu-central-1", "London Core!"]
    assert [step["by_names"] for step in rows] == [
        "aws/123/eu-central-1/tgw",
        "exchange/London Core!/1/segment/corp",
    ]
    assert rows[1]["fields"][0]["after"] == '["443"]'
    assert plan_review.action_counts(listed) == [("change", 1), ("remove", 1)]


def test_the_price_lists_its_comparison_and_causes() -> None:
    side = {"label": "Connector hours, small", "quantity": "730", "unit_price": "0.0820", "amount": "59.86"}
    line = {
        "subject": {"name": "vpc-legacy"},
        "label": "",
        "meter": "connector_hours",
        "unit": "h",
        "before": side,
        "after": None,
        "amount": "-59.86",
    }
    results = {"monthly_before": "100.00", "monthly_after": "40.14", "currency": "EUR", "lines": [line]}
    answer = plan_review.cost_summary(results)
    assert answer["difference"] == Decimal("-59.86")
    assert (answer["lines"][0]["cause"], answer["lines"][0]["quantity"], answer["lines"][0]["amount"]) == (
        "vpc-legacy",
        "730",
        Decimal("-59.86"),
    )


def test_a_plan_without_a_price_book_gives_the_reason() -> None:
    assert (
        plan_review.cost_summary({"monthly_after": None, "note": "Acme has no price book."})["note"]
        == "Acme has no price book."
    )


def test_a_conflict_with_a_removed_object_lists_only_the_other_sides_changes() -> None:
    base = {"name": "lan", "description": "", "prefixes": ["10.1.0.0/16"]}
    my_body = {**base, "prefixes": ["10.2.0.0/16", "10.3.0.0/16"]}
    words = rebasing._side_words({"path": "", "base": base, "mine": my_body, "theirs": None}, DiffWords([], []))
    assert words == {"base": "prefixes: 10.1.0.0/16", "mine": "prefixes: 10.2.0.0/16, 10.3.0.0/16", "theirs": ""}
    assert rebasing._side_words(
        {"path": "size", "base": "small", "mine": "large", "theirs": None}, DiffWords([], [])
    ) == {
        "base": "small",
        "mine": "large",
        "theirs": "",
    }
