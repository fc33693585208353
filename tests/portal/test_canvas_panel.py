"""The canvas' side panel: its heading and its line of problems."""

from __future__ import annotations

from portal.pages.canvas_board import build_board, compare_networks
from portal.pages.canvas_panel import panel_heading
from portal.pages.canvas_problems import split_problems
from portal.pages.reach_rows import build_rows
from provisioning.core.values.resource import Problem
from tests.portal.test_canvas_board import PROD, network

OLD = Problem("manual_side", "connectors/a", "Set up the other side.", "warning")
NEW = Problem("manual_side", "connectors/b", "Set up the other side.", "warning")
WRONG = Problem("unknown", "policies/p", "There is no such group.")
FAILING = Problem("assertion_fails", "assertions/x", "It does not hold.")


def test_problems_of_the_draft_come_before_those_its_base_has_as_well() -> None:
    problems = split_problems([], [OLD, NEW, WRONG], [OLD])
    assert (problems.new, problems.inherited) == ((NEW, WRONG), (OLD,))
    assert problems.summary == "1 problem to fix, 2 warnings"


def test_a_failing_assertion_is_a_problem_to_fix_but_no_error_of_the_network() -> None:
    problems = split_problems([FAILING], [OLD], [OLD])
    assert (problems.errors, problems.failing, problems.warnings) == (0, 1, 1)
    assert problems.summary == "1 problem to fix, 1 warning"


def test_nothing_wrong_has_no_line() -> None:
    assert split_problems([], [], [OLD]).summary == ""


def test_the_heading_of_a_group_names_its_segments_and_counts_its_connectors() -> None:
    board, items = build_board(network(), {}), compare_networks(network(), {})
    group = next(item for item in items["groups"] if item.uid == PROD)
    heading = panel_heading(board, group, None)
    assert heading
    assert (heading.label, [segment.name for segment in heading.segments], heading.members) == (
        "Group prod",
        ["corp"],
        1,
    )


def test_what_is_unreachable_for_the_same_reason_is_one_row() -> None:
    ends = {"dev": {"corp"}, "staff": {"corp"}, "ehr": {"clinical"}}
    rows = build_rows("prod", {"corp"}, [], None, ends)
    assert [(row["to"], row["how"]) for row in rows] == [
        ("dev, staff", "no rule lets it through"),
        ("ehr", "other segment, no share lets it through"),
    ]
