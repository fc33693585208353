"""A cloud is a folder and a line: a made-up one appears in forms, API, wizard, plans, runs, quotas and warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from django.test import Client

from provisioning import catalog, drivers
from provisioning.core.intent import Intent, load_intent
from provisioning.core.plan import plan_warnings
from provisioning.core.values.resource import Action, Change
from provisioning.drivers.base import CloudCredentials, Done, DriverContext, SectionPublisher, Waiting
from provisioning.drivers.cloud import Cloud
from tests.drivers.paper import driver
from tests.drivers.paper.cloud import PAPER, SERVED_KIND
from tests.people import ApiClient, People

ACCOUNT: dict[str, Any] = {
    "name": "notepad",
    "provider": "paper",
    "account_id": "pad-042",
    "regions": ["paper-west1"],
    "credentials": {"ink": "very blue"},
}


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Add the cloud to the registry, as in the recipe's last step."""
    monkeypatch.setitem(drivers.CLOUDS, "paper", PAPER)
    monkeypatch.setattr(driver, "API", driver.PaperApi())
    catalog.catalog.cache_clear()
    yield PAPER
    catalog.catalog.cache_clear()


@pytest.fixture
def account(people: People, paper: Cloud, tenant_scope: Callable[..., Any]) -> Any:
    """Return a discovered account of the cloud."""
    from provisioning.models import CloudAccount
    from provisioning.services import cloud_accounts, discovery

    with tenant_scope(people.acme):
        account = cloud_accounts.request_discovery(cloud_accounts.add_account(**ACCOUNT))
    discovery.DiscoveryJob(people.acme).run(str(account.uid))
    with tenant_scope(people.acme):
        return CloudAccount.objects.get(uid=account.uid)


@pytest.fixture
def draft(people: People, tenant_scope: Callable[..., Any]) -> Any:
    """Return a draft with an exchange and a segment to attach a network to."""
    from provisioning.services.drafts import editing, lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        editing.add_object(draft, "exchanges", {"name": "eu", "location": "aws-eu-central-1"})
        editing.add_object(draft, "segments", {"name": "corp", "default_action": "deny"})
    return draft


def connector(name: str = "letters", prefix: str = "10.80.0.0/16") -> dict[str, Any]:
    return {
        "name": name,
        "kind": SERVED_KIND,
        "exchange": "eu",
        "attachments": [{"segment": "corp", "prefixes": [prefix]}],
        "settings": {"project": "notepad", "network": f"{name}-paper-west1", "region": "paper-west1"},
    }


def page(client: Client, path: str) -> str:
    answer = client.get(f"/t/acme/{path}")
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_the_account_form_has_the_fields_that_the_cloud_declares(
    people: People, paper: Cloud, sign_in: Callable[..., Client]
) -> None:
    client = sign_in(people.owner)
    form = page(client, "cloud-accounts/?add=paper")
    for text in ("Add an account: Paper", "Pad number", 'pattern="pad-[0-9]{3}"', "Blue or black.", "?add=aws"):
        assert text in form
    assert 'id="a-ink"' in form and 'type="password"' in form
    assert "Secret access key" not in form


def test_the_form_adds_an_account_and_shows_its_problems(people: People, paper: Cloud) -> None:
    client = Client()
    client.force_login(people.owner)
    sent = {**ACCOUNT, **ACCOUNT["credentials"], "regions": "paper-west1"}
    del sent["credentials"]
    refused = client.post("/t/acme/cloud-accounts/", {**sent, "stamp": "small"})
    assert refused.status_code == 422
    assert "“Stamp” of Paper has to be capital letters." in refused.content.decode()
    assert "very blue" not in refused.content.decode()
    assert client.post("/t/acme/cloud-accounts/", sent).status_code == 302
    assert "pad-042" in page(client, "cloud-accounts/")


def test_the_api_accepts_only_the_clouds_own_credentials(api: Callable[[str], ApiClient], paper: Cloud) -> None:
    owner = api("owner")
    for wrong, path in (
        ({"account_id": "042"}, "account_id"),
        ({"credentials": {"access_key_id": "AKIA"}}, "credentials.access_key_id"),
        ({"provider": "clay"}, "provider"),
    ):
        refused = owner.post("t/acme/cloud-accounts/", {**ACCOUNT, **wrong})
        assert [problem["path"] for problem in refused.json()["problems"]] == [path]
    created = owner.post("t/acme/cloud-accounts/", ACCOUNT)
    assert created.status_code == 201 and created.json()["provider"] == "paper"
    assert "very blue" not in created.content.decode()
    assert owner.get(f"{created['Location']}inventory/").json()["sheets"] == []


def test_the_api_document_has_the_clouds_fields(paper: Cloud) -> None:
    from portal.api.cloud_accounts import NewAccountSerializer

    fields: Any = NewAccountSerializer().fields
    assert "paper" in fields["provider"].choices
    assert {"ink", "stamp", "access_key_id"} <= set(fields["credentials"].fields)


def test_discovery_fills_the_accounts_page_and_the_wizard(
    people: People, account: Any, draft: Any, sign_in: Callable[..., Client]
) -> None:
    assert account.inventory["sheets"][0]["name"] == "letter-paper-west1"
    assert "letter-paper-west1" in page(sign_in(people.owner), "cloud-accounts/")
    wizard = page(
        sign_in(people.netadmin), f"connectors/new/?draft={draft.uid}&kind={SERVED_KIND}&account={account.uid}"
    )
    assert "Discovered sheets" in wizard and "letter-paper-west1" in wizard
    assert "&quot;project&quot;: &quot;pad-042&quot;" in wizard, "picking a network fills in its settings"
    assert "set up by hand for now.</b>" not in wizard


def test_a_cloud_without_a_folder_is_set_up_by_hand(
    people: People, draft: Any, sign_in: Callable[..., Client], tenant_scope: Callable[..., Any]
) -> None:
    wizard = page(sign_in(people.netadmin), f"connectors/new/?draft={draft.uid}&kind={SERVED_KIND}")
    assert "set up by hand for now.</b>" in wizard and "In GCP, give the" in wizard
    assert problem_codes(people, draft, tenant_scope) == {"cloud_side_by_hand"}


def test_a_cloud_with_a_folder_is_compiled_priced_planned_and_shown(
    people: People, account: Any, draft: Any, sign_in: Callable[..., Client], tenant_scope: Callable[..., Any]
) -> None:
    from provisioning.services import plans

    assert problem_codes(people, draft, tenant_scope) == set()
    with tenant_scope(people.acme):
        plan = plans.create_plan(draft)
        changes = {change.address: change for change in plan.changes.all()}
    address = "paper/pad-042/paper-west1/sheet/letters-paper-west1/folder"
    assert changes[address].kind == "paper.folder"
    markup = page(sign_in(people.netadmin), f"plans/{plan.uid}/")
    assert address in markup and "paper-west1" in markup


def test_a_run_shows_the_region_of_its_steps_and_a_remedy(paper: Cloud) -> None:
    from portal.pages.plan_review import address_location
    from portal.pages.remedies import remedy
    from portal.pages.runs import run_progress
    from provisioning.models import Step

    step = Step(order=0, action="create", address="paper/pad-042/paper-west1/sheet/a/folder", state="failed")
    (location,) = run_progress([step])["step_groups"]
    assert location["name"] == "Paper paper-west1, pad pad-042"
    assert address_location(step.address) == "paper-west1"
    assert remedy("PaperJam", "") == PAPER.remedies["PaperJam"]
    assert "Allow paper.Fold to the credentials" in remedy("NoInkLeft", "paper.Fold")
    assert "was busy" in remedy("Folding", "")


def test_a_plan_that_exceeds_the_clouds_quota_is_refused(
    people: People, account: Any, draft: Any, tenant_scope: Callable[..., Any]
) -> None:
    from provisioning.errors import ValidationFailed
    from provisioning.services import plans
    from provisioning.services.drafts import editing

    with tenant_scope(people.acme):
        for name, prefix in (("letters", "10.80.0.0/16"), ("cards", "10.81.0.0/16")):
            editing.add_object(draft, "connectors", connector(name, prefix))
        with pytest.raises(ValidationFailed, match=r"would have 2 folders, Paper allows 1 for each region.*or pad"):
            plans.create_plan(draft)


@pytest.mark.parametrize(("action", "codes"), [("replace", ["gateway_replaced"]), ("remove", [])])
def test_replacing_the_clouds_gateway_raises_a_warning(paper: Cloud, action: Action, codes: list[str]) -> None:
    change = Change(action, "paper/pad-042/paper-west1/sheet/a/folder", "paper.folder", {}, {})
    nothing: Intent = load_intent([], catalog.catalog())
    warnings = plan_warnings([change], nothing, nothing, drivers.gateway_warnings())
    assert [warning.code for warning in warnings] == codes


def test_the_base_of_tagged_resources_creates_waits_adopts_replaces_and_removes(paper: Cloud) -> None:
    sections = cast(SectionPublisher, None)  # Of exchange nodes; no cloud touches them.
    context = DriverContext("acme", {}, lambda provider, account: CloudCredentials(account), sections)
    address, api = "paper/pad-042/paper-west1/sheet/a/folder", driver.API

    def apply(action: Action, before: Any, after: Any) -> Done | Waiting:
        return drivers.get_driver("paper").apply(Change(action, address, "paper.folder", before, after), context)

    first = apply("create", None, {"sheet": "a"})
    assert isinstance(first, Waiting) and first.note == "folder-1 is wet"
    assert isinstance(apply("create", None, {"sheet": "a"}), Waiting), "it was still wet when it was listed"
    assert apply("create", None, {"sheet": "a"}) == Done({"id": "folder-1"}, {"sheet": "a"})
    assert api.creates == 1, "what the first step created was adopted by those after it"
    (observed,) = drivers.get_driver("paper").observe(
        [Change("create", address, "paper.folder", None, {"sheet": "a"})], context
    )
    assert (observed.body, observed.attributes) == ({"sheet": "a"}, {"id": "folder-1"})
    assert isinstance(apply("replace", {"sheet": "a"}, {"sheet": "b"}), Waiting)
    assert api.folders == []
    assert isinstance(apply("replace", {"sheet": "a"}, {"sheet": "b"}), Waiting)
    assert [folder["sheet"] for folder in api.folders] == ["b"]
    assert apply("remove", {"sheet": "b"}, None) == Done({}, None)
    assert api.folders == []


@pytest.mark.parametrize("name", drivers.CLOUDS)
def test_a_cloud_has_the_driver_and_the_discoverer_that_its_declaration_needs(name: str) -> None:
    cloud = drivers.CLOUDS[name]
    assert cloud.name == name and len(name) <= 10, "a column of ten characters keeps it"
    assert set(drivers.get_driver(name).replace_on) >= set(cloud.gateway_warnings)
    assert callable(drivers.get_discoverer(name))
    assert all(cloud.account_setting(kind) for kind in cloud.connector_settings)


def problem_codes(people: People, draft: Any, tenant_scope: Callable[..., Any]) -> set[str]:
    """Attach a network of the served kind; return the codes of the draft's problems."""
    from provisioning.selectors import reachability
    from provisioning.services.drafts import editing
    from provisioning.snapshots import queries

    with tenant_scope(people.acme):
        editing.add_object(draft, "connectors", connector())
        return {problem["code"] for problem in reachability.list_problems(queries.snapshot_of_draft(draft))}
