"""Rows of the reach page: flows with causes, unreachable ends with reasons, and marks for new flows."""

from __future__ import annotations

from typing import Any

from portal.pages import reach_rows

ENDS = {"prod": {"corp"}, "dev": {"corp"}, "ehr": {"clinical"}, "internet": {"corp"}}


def reached(to: str, **more: Any) -> dict[str, Any]:
    flow = {"from": ["prod"], "segment": "corp", "protocol": "any", "ports": [], "via": [], "rule": None}
    return {**flow, "to": [to], **more}


def test_rows_list_reached_groups_and_the_reason_for_the_others() -> None:
    rows = reach_rows.build_rows(
        "prod", {"corp"}, [reached("dev", protocol="tcp", ports=["22"], rule="ssh/main")], None, ENDS
    )
    assert [(row["to"], row["action"], row["how"]) for row in rows] == [
        ("dev", "allow", "policy ssh, rule main"),
        ("ehr", "deny", "other segment, no share lets it through"),
        ("the internet", "deny", "the default action does not cover it"),
    ]
    assert rows[0]["flow"] == "tcp/22"


def test_a_flow_to_any_is_one_row() -> None:
    rows = reach_rows.build_rows("prod", {"corp"}, [reached("any")], None, ENDS)
    assert [row["to"] for row in rows] == ["every connector", "ehr", "the internet"]
    assert rows[0]["how"] == "the default action of corp"


def test_only_flows_that_live_does_not_have_are_marked() -> None:
    unruled, ruled = reached("any"), reached("ehr", via=["fw"], rule="ehr/main")
    rows = reach_rows.build_rows("prod", {"corp"}, [reached("dev"), ruled], [unruled], {})
    assert [(row["new"], row["action"]) for row in rows] == [(False, "allow"), (True, "inspect")]


def test_an_unattached_object_reaches_nothing() -> None:
    assert {row["how"] for row in reach_rows.build_rows("new", set(), [], None, ENDS)} == {
        "other segment, no share lets it through"
    }


def test_a_row_across_a_share_names_the_other_segment_and_a_part_of_a_group() -> None:
    across = reached("ehr", to_segment="clinical", rule="share/records")
    part = reached("site-dev (10.2.0.0/25)")
    rows = reach_rows.build_rows("prod", {"corp"}, [across, part], None, ENDS, {"site-dev": {"dev"}})
    assert [(row["to"], row["how"]) for row in rows[:2]] == [
        ("ehr in clinical", "share records"),
        ("site-dev (10.2.0.0/25)", "the default action of corp"),
    ]
    assert "dev" not in [row["to"] for row in rows]
