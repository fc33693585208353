"""The recipe of provisioning/core/README.md followed with a made-up kind: path declaration adds it everywhere."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any

import pytest
import yaml
from django.test import Client, override_settings
from django.urls import clear_url_caches, include, path

from provisioning.core import intent, plan
from provisioning.core.formats.csv_tables import CSV_TABLES, CsvTable
from provisioning.core.intent.fields import Choice, Integer, Objects, Reference, Text
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind, registered_kind
from provisioning.core.intent.old_names import RenamedFrom
from provisioning.core.intent.reference import reference_markdown
from provisioning.core.values.resource import Resource
from tests.api import test_intent_objects, test_network_document
from tests.api.sample_network import create_every_kind
from tests.core import test_check_shares_nat_routes, test_intent
from tests.people import ApiClient, ApiFactory, People
from tests.portal import sample_network

pytestmark = pytest.mark.django_db(databases=["default"])


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    host: Annotated[str, Text(60, example="10.1.2.3")]
    port: Annotated[int, Integer(1, 65535, default=443)]


@dataclass(frozen=True, slots=True)
class HealthProbe(IntentObject):
    segment: Annotated[str, Reference(("segments",), filter=True)]
    method: Annotated[
        str,
        Choice(
            {"tcp": "TCP connection", "ping": "Ping"},
            default="tcp",
            filter=True,
            renamed_from=RenamedFrom("how", {"connect": "tcp", "echo": "ping"}),
        ),
    ]
    interval: Annotated[int, Integer(1, 3600, default=60, label="Every", help="seconds between two probes", order=True)]
    targets: Annotated[tuple[ProbeTarget, ...], Objects(least=1, word="target")]


KIND = Kind(
    "health-probes",
    HealthProbe,
    "health probe",
    "health probes",
    "Asks whether something answers.",
    {"name": "shop-answers", "segment": "corp", "targets": [{"host": "10.1.2.3"}]},
    affects_connectors=True,
)
BODY = {**KIND.example, "interval": 30, "method": "ping"}


@pytest.fixture
def made_up_kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kind]:
    """Register the kind while a test runs, with the URLs that the portal creates for every kind at start."""
    monkeypatch.setitem(CSV_TABLES, KIND.key, CsvTable(KIND.key, "targets"))
    with registered_kind(KIND):
        from portal.api.docs import openapi_document
        from portal.api.documents import document_urls
        from portal.api.intent_objects import object_urls
        from portal.urls import urlpatterns

        draft = "drafts/<uuid:draft>/"
        objects = [*object_urls(draft, draft=True), *document_urls(draft, draft=True), *object_urls("live/")]
        urlconf = ModuleType("urls_with_a_made_up_kind")
        urlconf.urlpatterns = [path("api/v1/t/<slug:slug>/", include(objects)), *urlpatterns]  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, urlconf.__name__, urlconf)
        clear_url_caches()
        openapi_document.cache_clear()
        with override_settings(ROOT_URLCONF=urlconf.__name__):
            yield KIND
    clear_url_caches()
    openapi_document.cache_clear()


@pytest.fixture
def netadmin(api: ApiFactory) -> ApiClient:
    return api("netadmin")


@pytest.fixture
def draft(made_up_kind: Kind, netadmin: ApiClient) -> str:
    """Return the path of a draft with a segment and path object of the kind."""
    draft = f"t/acme/drafts/{netadmin.post('t/acme/drafts/', {'name': 'probes'}).json()['id']}/"
    assert netadmin.post(f"{draft}segments/", {"name": "corp"}).status_code == 201
    assert netadmin.post(f"{draft}health-probes/", BODY).status_code == 201
    return draft


def test_the_kind_is_created_read_changed_and_validated_through_the_api(netadmin: ApiClient, draft: str) -> None:
    [probe] = netadmin.get(f"{draft}health-probes/").json()["results"]
    assert probe["targets"] == [{"host": "10.1.2.3", "port": 443}] and probe["method"] == "ping"
    path = f"{draft}health-probes/{probe['id']}/"
    assert netadmin.patch(path, {"how": "connect"}).json()["method"] == "tcp"
    refused = netadmin.patch(path, {"interval": 0, "targets": [], "segment": "nowhere", "colour": "red"})
    assert {(problem["path"], problem["code"]) for problem in refused.json()["problems"]} == {
        ("interval", "out_of_range"),
        ("targets", "required"),
        ("segment", "unknown_reference"),
        ("colour", "unknown_field"),
    }
    assert netadmin.delete(path).status_code == 204


def test_the_schema_describes_the_kind(made_up_kind: Kind) -> None:
    from portal.api.docs import openapi_document

    schema: dict[str, Any] = openapi_document.__wrapped__()
    assert "/api/v1/t/{slug}/drafts/{draft}/health-probes/" in schema["paths"]
    shape = schema["components"]["schemas"]["HealthProbe"]["properties"]
    assert shape["interval"]["maximum"] == 3600 and shape["interval"]["description"] == "seconds between two probes"
    assert shape["segment"]["description"] == "a segment"


def test_lists_of_the_kind_are_searched_filtered_and_ordered(netadmin: ApiClient, draft: str) -> None:
    slow = {**BODY, "name": "slow", "interval": 600, "method": "tcp"}
    assert netadmin.post(f"{draft}health-probes/", slow).status_code == 201
    [segment] = netadmin.get(f"{draft}segments/").json()["results"]
    for question, names in {
        "search=low": ["slow"],
        "method=ping": ["shop-answers"],
        "how=echo": ["shop-answers"],
        f"segment={segment['id']}&ordering=-interval": ["slow", "shop-answers"],
    }.items():
        rows = netadmin.get(f"{draft}health-probes/?{question}").json()["results"]
        assert [row["name"] for row in rows] == names, question


def test_documents_and_tables_contain_the_kind(netadmin: ApiClient, draft: str) -> None:
    document = yaml.safe_load(netadmin.get(f"{draft}intent/", Accept="application/yaml").content)
    [probe] = document["health-probes"]
    assert list(probe) == ["id", "name", "description", "segment", "method", "interval", "targets"]
    assert probe["segment"] == "corp"
    document["health-probes"] = [{**probe, "interval": 90}]
    [difference] = netadmin.put(f"{draft}intent/?dry_run=1", document).json()["differences"]
    assert difference["kind"] == "health-probes"
    assert difference["fields"] == [{"path": "interval", "before": 30, "after": 90}]
    table = netadmin.get(f"{draft}health-probes/?format=csv").content.decode()
    [row] = csv.DictReader(io.StringIO(table.removeprefix("\ufeff")))
    assert (row["name"], row["segment"], row["interval"]) == ("shop-answers", "corp", "30")


def test_objects_of_the_kind_are_imported_from_a_table(
    netadmin: ApiClient, people: People, sign_in: Callable[[Any], Client], draft: str
) -> None:
    table = "name,segment,host,port\nshop-answers,corp,10.1.2.3,443\nshop-answers,,10.1.2.4,\nlate,corp,10.1.2.5,x\n"
    refused = netadmin.send("POST", f"{draft}import/health-probes/", table.encode(), "text/csv")
    assert [problem["path"] for problem in refused.json()["problems"]] == ["rows[4].port"]
    good = table.replace("x\n", "80\n").encode()
    assert netadmin.send("POST", f"{draft}import/health-probes/", good, "text/csv").json()["created"] == 1
    rows = netadmin.get(f"{draft}health-probes/?search=answers").json()["results"]
    assert rows[0]["targets"] == [{"host": "10.1.2.3", "port": 443}, {"host": "10.1.2.4", "port": 443}]
    page = f"/{draft.replace('drafts', 'design')}import/health-probes/"
    client = sign_in(people.netadmin)
    assert "seconds between two probes" in client.get(page).content.decode()
    assert page in client.get(f"/{draft.replace('drafts', 'design')}objects/health-probes/").content.decode()


def test_tests_of_every_kind_take_the_kind_as_its_example_says(
    people: People, tenant_scope: Callable[..., Any], netadmin: ApiClient, made_up_kind: Kind
) -> None:
    from provisioning.services.drafts import lifecycle

    key = made_up_kind.key
    test_intent_objects.test_every_kind_is_created_read_changed_and_deleted(netadmin, key)
    test_intent_objects.test_the_schema_has_the_fields_that_the_core_reads(key)
    test_intent_objects.test_the_schemas_example_of_every_kind_is_valid(netadmin, key)
    test_network_document.test_document_fields_are_in_the_order_of_the_schema(key)
    test_intent.test_objects_of_every_kind_load_and_are_found_by_kind_and_name()
    test_check_shares_nat_routes.test_a_network_with_every_kind_of_object_has_no_problems()
    test_check_shares_nat_routes.test_missing_objects_of_any_kind_do_not_break_the_other_checks(key)
    assert len(netadmin.get(f"{create_every_kind(netadmin, 'every kind')}{key}/").json()["results"]) == 1
    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("pages")
        sample_network.create_sample_network(draft)
        assert key in sample_network.add_every_kind(draft)


def test_the_kinds_page_has_a_list_and_a_form_of_its_fields(
    people: People, sign_in: Callable[[Any], Client], draft: str
) -> None:
    page = f"/{draft.replace('drafts', 'design')}objects/health-probes/"
    listed = sign_in(people.netadmin).get(f"{page}?select=new").content.decode()
    for words in ("Health probes", "shop-answers", "Every", "Seconds between two probes.", "TCP connection", "Host"):
        assert words in listed, words
    assert '"health-probes": "health probe"' in listed


def test_references_of_the_kind_are_checked_and_count_in_the_blast_radius(made_up_kind: Kind) -> None:
    rows = [
        ("segments", "s", 1, "corp", intent.normalise_body("segments", {"name": "corp"}, lambda _kind, name: name)),
        (
            "health-probes",
            "p",
            2,
            "shop-answers",
            intent.normalise_body("health-probes", BODY, lambda _kind, _name: "s"),
        ),
    ]
    from provisioning.core.check import check_network
    from provisioning.core.resolve.network import Network

    whole, without = (intent.load_intent(some, intent.Catalog()) for some in (rows, rows[1:]))
    assert check_network(Network(whole)) == []
    [problem] = check_network(Network(without))
    assert (problem.code, problem.path) == ("unknown_reference", "health-probes/shop-answers/segment")
    assert problem.message.startswith("Health probe “shop-answers” names a segment that does not exist any more.")
    empty = intent.load_intent(rows[:1], intent.Catalog())
    assert plan.compute_blast_radius([], empty, whole)["segments"]["touched"] == ["corp"]


def test_a_plan_describes_the_kinds_resources_by_field(made_up_kind: Kind) -> None:
    before, after = (Resource("probe:shop", "monitoring.probe", {"interval": every}) for every in (30, 90))
    text = plan.render_plan(plan.diff_resources({before.address: before}, {after.address: after}))
    assert "interval: 30 → 90" in text


def test_the_reference_page_describes_the_kind(made_up_kind: Kind) -> None:
    page = reference_markdown()
    assert "## Health probes" in page and "`targets[].port` | whole number from 1 to 65,535 | 443" in page
