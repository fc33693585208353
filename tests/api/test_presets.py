"""Presets write ordinary objects into a draft, as one edit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.sample_network import create_draft, create_object
from tests.people import ApiFactory

pytestmark = pytest.mark.django_db

ASKED = {"hub": "hub", "spokes": ["red", "blue"], "services": ["fw"]}


def test_central_egress_is_tried_and_then_written_as_one_edit(api: ApiFactory) -> None:
    client = api("netadmin")
    where = create_draft(client)
    for name in ("hub", "red", "blue"):
        create_object(client, where, "segments", {"name": name})
    create_object(client, where, "exchanges")
    placed = {"product": "linux-firewall", "segments": ["hub"], "placements": [{"exchange": "eu", "min_instances": 1}]}
    create_object(client, where, "services", {"name": "fw", **placed})
    path = f"{where}presets/central-egress/"
    assert api("viewer").post(path, ASKED).status_code == 403
    tried = client.post(f"{path}?dry_run=1", ASKED).json()["differences"]
    assert sorted(difference["kind"] for difference in tried) == ["policies", "shares", "shares"]
    assert client.get(f"{where}shares/").json()["results"] == []
    assert len(client.post(path, ASKED).json()["differences"]) == 3
    _, red = client.get(f"{where}shares/").json()["results"]
    assert (red["name"], red["b"]["internet"], red["direction"]) == ("internet by hub: red", True, "a-to-b")
    (policy,) = client.get(f"{where}policies/").json()["results"]
    assert policy["rules"][0]["action"] == "inspect" and policy["to"] == ["internet"]
    assert client.post(f"{where}undo/").status_code == 200
    assert client.get(f"{where}shares/").json()["results"] == [] == client.get(f"{where}policies/").json()["results"]


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"hub": "nowhere"}, "hub"),
        ({"spokes": ["red", "nowhere"]}, "spokes[1]"),
        ({"spokes": ["red", "red"]}, "spokes"),
        ({"spokes": ["red", "hub"]}, "spokes"),
        ({"services": ["nobody"]}, "services[0]"),
        ({"name": "taken"}, "name"),
    ],
)
def test_a_problem_is_at_the_field_of_the_preset(api: ApiFactory, changed: dict[str, Any], path: str) -> None:
    client = api("netadmin")
    where = create_draft(client)
    for name in ("hub", "red"):
        create_object(client, where, "segments", {"name": name})
    taken = {"name": "taken", "segments": ["red"], "from": ["any"], "to": ["any"], "rules": []}
    create_object(client, where, "policies", taken)
    asked = {"hub": "hub", "spokes": ["red"], **changed}
    for query in ("?dry_run=1", ""):
        answer = client.post(f"{where}presets/central-egress/{query}", asked)
        assert answer.status_code in (400, 422)
        assert path in [problem["path"] for problem in answer.json()["problems"]], answer.json()
    assert client.get(f"{where}shares/").json()["results"] == []
