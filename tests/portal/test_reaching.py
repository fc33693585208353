"""What one thing can reach is told with its cause, what it cannot reach too, and what is new in the draft is marked."""

from __future__ import annotations

from typing import Any

from portal.pages import reaching


def reached(to: str, **more: Any) -> dict[str, Any]:
    flow = {"from": ["prod"], "segment": "corp", "protocol": "any", "ports": [], "via": [], "rule": None}
    return {**flow, "to": [to], **more}


def test_what_is_reached_and_what_is_not() -> None:
    rows = reaching.rows([reached("dev", protocol="tcp", ports=["22"], rule="ssh/main")], None, ["dev", "ehr", "prod"])
    assert [(row["to"], row["action"]) for row in rows] == [("dev", "allow"), ("ehr", "deny")]
    assert (rows[0]["flow"], rows[0]["how"]) == ("tcp/22", "policy ssh, rule main")


def test_everything_of_an_open_segment_is_one_row_and_the_internet_is_still_named() -> None:
    rows = reaching.rows([reached("any")], None, ["dev", "internet"])
    assert [(row["to"], row["action"]) for row in rows] == [("every connector", "allow"), ("the internet", "deny")]
    assert rows[0]["how"] == "the stance of corp"


def test_what_live_does_not_have_is_marked() -> None:
    (old, new) = (reached("dev"), reached("ehr", via=["fw"]))
    rows = reaching.rows([old, new], [old], [])
    assert [(row["new"], row["action"]) for row in rows] == [(False, "allow"), (True, "inspect")]
