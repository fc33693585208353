"""Malformed queries: answered with a problem that names the parameter, never with a server error."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from portal.api.pagination import paginate_values
from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import create_object, create_sample_network
from tests.people import ApiFactory, People

pytestmark = pytest.mark.django_db


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_a_forged_cursor_is_refused(api: ApiFactory) -> None:
    netadmin = api("netadmin")
    where = create_sample_network(netadmin)
    for text in ('["","\\ud800",1,false]', '["","a",Infinity,false]', "[" * 20_000, '["",{"a":1},1,false]', '["a",1]'):
        problem = assert_problem(netadmin.get(f"{where}connectors/?cursor={cursor(text)}"), 400)
        assert problem["problems"][0]["code"] == "bad_cursor"
    for text in ('["","x",0,false]', '["",-5,0,false]', '["",1,Infinity,false]', "[" * 20_000):
        assert_problem(netadmin.get(f"{where}reach/?from=prod&cursor={cursor(text)}"), 400)
    for text in ('["name","\\ud800",0,false]', '["name","a",Infinity,false]'):
        assert_problem(netadmin.get(f"t/acme/drafts/?ordering=name&cursor={cursor(text)}"), 400)
    assert_problem(netadmin.get(f"{where}reach/?from=prod&ordering=example"), 400)


def test_a_cursor_is_valid_only_for_its_own_query(api: ApiFactory) -> None:
    netadmin = api("netadmin")
    where = create_sample_network(netadmin)

    def following(path: str) -> str:
        answer = netadmin.get(path).json()["next"]
        return parse_qs(urlsplit(answer).query)["cursor"][0]

    netadmin.post(f"{where}groups/", {"name": "dev"})
    groups = f"{where}groups/?limit=1"
    cursor = following(groups)
    assert netadmin.get(f"{groups}0&cursor={cursor}").json()["results"]
    assert netadmin.get(f"{groups}&ordering=name&total=1&cursor={cursor}").json()["results"]
    netadmin.post("t/acme/drafts/", {"name": "another"})
    newest = following("t/acme/drafts/?limit=1")
    for path, bad_cursor in (
        (f"{where}connectors/", cursor),
        (f"{where}groups/?ordering=-name", cursor),
        (f"{where}groups/?search=d", cursor),
        (f"{where}connectors/?kind=lab-site", following(f"{where}connectors/?limit=1")),
        ("t/acme/drafts/?ordering=name", newest),
        ("t/acme/drafts/?author=somebody", newest),
        ("t/acme/revisions/", newest),
        ("catalog/sizes/", following("catalog/exchanges/?limit=1")),
    ):
        answer = assert_problem(netadmin.get(f"{path}{'&' if '?' in path else '?'}cursor={bad_cursor}"), 400)
        assert [(each["code"], each["path"]) for each in answer["problems"]] == [("foreign_cursor", "cursor")], path
        assert "first page" in answer["problems"][0]["message"]


@pytest.mark.parametrize("protocol", ["300", "-1", "9999999999", "any", "²", "tcp", "6"])
def test_a_trace_needs_a_known_protocol_and_its_port(api: ApiFactory, protocol: str) -> None:
    netadmin = api("netadmin")
    where = create_sample_network(netadmin)
    assert_problem(netadmin.get(f"{where}trace/?from=site-a&to=site-b&protocol={protocol}"), 400)


def test_a_protocol_number_equals_its_name(api: ApiFactory) -> None:
    netadmin = api("netadmin")
    url = f"{create_sample_network(netadmin)}trace/?from=site-a&to=site-b&port=443&protocol="
    assert netadmin.get(f"{url}6").json() == netadmin.get(f"{url}tcp").json()


def test_static_nat_with_unequal_prefixes_is_a_problem(api: ApiFactory) -> None:
    netadmin = api("netadmin")
    where = create_sample_network(netadmin)
    create_object(netadmin, where, "prefix-lists")
    outside = {"type": "static", "prefixes": ["10.200.0.0/16"]}
    rule = {"name": "n", "segment": "corp", "connector": "site-b", "position": 10}
    inwards = {"direction": "inbound", "destination": outside}
    for body in (
        {**rule, "direction": "outbound", "match": {"source": ["offices"]}, "source": outside},
        {**rule, **inwards, "match": {"destination": ["10.8.0.0/16", "10.9.0.0/16"]}},
        {**rule, **inwards, "match": {"destination": ["offices"]}},
    ):
        problem = assert_problem(netadmin.post(f"{where}nat-rules/", body), 422)
        assert "nat_pairs" in {reason["code"] for reason in problem["problems"]}


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("from=9999-12-01", "from"),
        ("from=9999-12-31&to=9999-12-31", "from"),
        ("from=0001-01-01T00:00:00%2B14:00", "from"),
        ("from=2026-01-01&to=9999-12-31T23:59:59-14:00", "to"),
        ("from=2026-01-01&to=0001-01-01", "to"),
        ("from=2026-01-01&to=2028-01-01", "to"),
        ("from=2026-02-30", "from"),
    ],
)
def test_usage_of_an_impossible_period_is_refused_in_api_and_page(api: ApiFactory, query: str, path: str) -> None:
    netadmin = api("owner")
    problem = assert_problem(netadmin.get(f"t/acme/usage/?{query}"), 400)
    assert [each["path"] for each in problem["problems"]] == [path]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("from=9999-12-01&to=9999-12-31", "“from” has to be in the years"),
        ("from=0001-01-01&to=0001-01-31", "“from” has to be in the years"),
        ("from=2026-01-01&to=9999-12-31", "“to” has to be in the years"),
        ("from=2026-02-30&to=2026-03-01", "“from” is no date"),
        ("from=2026-03-02&to=2026-03-01", "“to” comes after “from”"),
    ],
)
def test_the_usage_page_says_what_is_wrong_with_a_period(client: Client, people: People, query: str, told: str) -> None:
    client.force_login(people.owner)
    answer = client.get(f"/t/acme/usage/?{query}")
    assert answer.status_code == 400 and told in answer.content.decode()


@pytest.mark.parametrize("ordering", ["unit", "-thing", "quantity", "samples", "nothing"])
def test_a_list_in_memory_orders_by_values_that_have_an_order(api: ApiFactory, ordering: str) -> None:
    assert api("owner").get(f"t/acme/usage/?ordering={ordering}").status_code in (200, 400)


def test_ordering_by_a_list_or_an_object_is_refused() -> None:
    values = [{"name": "a", "list": [{"x": 1}], "at": None}, {"name": "b", "list": [], "at": "later"}]
    for ordering in ("list", "-list", "missing"):
        request = Request(APIRequestFactory().get("/", {"ordering": ordering}))
        with pytest.raises(ValidationError):
            paginate_values(request, values)
    request = Request(APIRequestFactory().get("/", {"ordering": "-at"}))
    assert [value["name"] for value in paginate_values(request, values)["results"]] == ["b", "a"]


def test_the_schema_says_the_limits_that_are_enforced(api: ApiFactory) -> None:
    operation = api("owner").get("schema/?format=json").json()["paths"]["/api/v1/t/{slug}/tokens/"]
    schemas = {
        parameter["name"]: parameter["schema"]
        for verb in ("get", "post")
        for parameter in operation[verb]["parameters"]
    }
    assert (schemas["limit"]["minimum"], schemas["limit"]["maximum"]) == (1, 1000)
    assert (schemas["Idempotency-Key"]["minLength"], schemas["Idempotency-Key"]["maxLength"]) == (1, 120)
