"""Moving and cloning objects of a draft."""

from __future__ import annotations

from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import create_object, create_sample_network
from tests.people import ApiClient, ApiFactory


def policy(name: str) -> dict[str, object]:
    rule = {"name": "web", "action": "allow", "protocol": "tcp", "ports": ["443"]}
    return {"name": name, "segments": ["corp"], "from": ["prod"], "to": ["site-b"], "rules": [rule]}


def order(client: ApiClient, where: str) -> list[str]:
    return [row["name"] for row in client.get(f"{where}policies/?ordering=position").json()["results"]]


def test_a_policy_is_moved_and_cloned(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    before = order(netadmin, where)
    first, second = (create_object(netadmin, where, "policies", policy(name)).json() for name in ("one", "two"))
    moved = netadmin.post(f"{where}policies/{second['id']}/move/", {"before": first["id"]})
    assert moved.status_code == 200 and moved.json()["position"] < first["position"]
    assert order(netadmin, where) == [*before, "two", "one"]
    copy = netadmin.post(f"{where}policies/{second['id']}/clone/")
    assert copy.status_code == 201, copy.content
    assert netadmin.get(copy["Location"]).json() == copy.json()
    assert order(netadmin, where) == [*before, "two", "two copy", "one"]
    assert netadmin.post(f"{where}policies/{second['id']}/move/").status_code == 200
    assert order(netadmin, where) == [*before, "two copy", "one", "two"]


def test_a_policy_moves_into_a_tier(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    first, second = (create_object(netadmin, where, "policies", policy(name)).json() for name in ("one", "two"))
    assert netadmin.post(f"{where}policies/{first['id']}/move/", {"tier": "mandatory"}).json()["tier"] == "mandatory"
    moved = netadmin.post(f"{where}policies/{second['id']}/move/", {"before": first["id"]}).json()
    assert moved["tier"] == "mandatory" and moved["position"] < first["position"]
    both = {"before": first["id"], "tier": "baseline"}
    assert_problem(netadmin.post(f"{where}policies/{second['id']}/move/", both), 400)


def test_what_is_not_there_is_not_moved(netadmin: ApiClient, api: ApiFactory) -> None:
    where = create_sample_network(netadmin)
    row = create_object(netadmin, where, "policies", policy("one")).json()
    nowhere = "00000000-0000-4000-8000-000000000000"
    assert_problem(netadmin.post(f"{where}policies/{row['id']}/move/", {"before": nowhere}), 404)
    assert_problem(netadmin.post(f"{where}policies/{row['id']}/move/", {"before": "first"}), 400)
    assert_problem(netadmin.post(f"{where}groups/{row['id']}/move/"), 404)
    assert_problem(api("viewer").post(f"{where}policies/{row['id']}/clone/"), 403)
