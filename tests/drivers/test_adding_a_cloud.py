"""A cloud is a gateway and a line: a made-up one appears in forms, API, wizard, plans, runs, quotas and warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from django.test import Client

from provisioning import catalog, drivers
from provisioning.core.intent import Intent, load_intent
from provisioning.core.plan import plan_warnings
from provisioning.core.reach import ReachabilityDelta
from provisioning.core.values.resource import Action, Change
from provisioning.drivers.base import CloudCredentials, Done, DriverContext, SectionPublisher, Waiting
from provisioning.drivers.cloud import Cloud
from tests.core.sample_networks import TODAY
from tests.drivers.testcloud import driver
from tests.drivers.testcloud.cloud import SERVED_KIND, TESTCLOUD
from tests.people import ApiClient, People

ACCOUNT: dict[str, Any] = {
    "name": "main-subscription",
    "provider": "testcloud",
    "account_id": "sub-042",
    "regions": ["testcloud-west1"],
    "credentials": {"key": "very secret"},
}


@pytest.fixture
def testcloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Add the cloud to the registry, as in the recipe's last step."""
    monkeypatch.setitem(drivers.CLOUDS, "testcloud", TESTCLOUD)
    monkeypatch.setattr(driver, "API", driver.GatewayApi())
    catalog.catalog.cache_clear()
    yield TESTCLOUD
    catalog.catalog.cache_clear()


@pytest.fixture
def account(people: People, testcloud: Cloud, tenant_scope: Callable[..., Any]) -> Any:
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


def connector(name: str = "shops", prefix: str = "10.80.0.0/16") -> dict[str, Any]:
    return {
        "name": name,
        "kind": SERVED_KIND,
        "exchange": "eu",
        "attachments": [{"segment": "corp", "prefixes": [prefix]}],
        "settings": {"project": "main-subscription", "network": f"{name}-testcloud-west1", "region": "testcloud-west1"},
    }


def page(client: Client, path: str) -> str:
    answer = client.get(f"/t/acme/{path}")
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_the_account_form_has_the_fields_that_the_cloud_declares(
    people: People, testcloud: Cloud, sign_in: Callable[..., Client]
) -> None:
    client = sign_in(people.owner)
    form = page(client, "cloud-accounts/?add=testcloud")
    for text in (
        "Add an account: Test Cloud",
        "Subscription number",
        'pattern="sub-[0-9]{3}"',
        "As its console shows it.",
        "?add=aws",
    ):
        assert text in form
    assert 'id="a-key"' in form and 'type="password"' in form
    assert "Secret access key" not in form


def test_the_form_adds_an_account_and_shows_its_problems(people: People, testcloud: Cloud) -> None:
    client = Client()
    client.force_login(people.owner)
    sent = {**ACCOUNT, **ACCOUNT["credentials"], "regions": "testcloud-west1"}
    del sent["credentials"]
    refused = client.post("/t/acme/cloud-accounts/", {**sent, "suffix": "small"})
    assert refused.status_code == 422
    assert "“Suffix” of Test Cloud has to be capital letters." in refused.content.decode()
    assert "very secret" not in refused.content.decode()
    assert client.post("/t/acme/cloud-accounts/", sent).status_code == 302
    assert "sub-042" in page(client, "cloud-accounts/")


def test_the_api_accepts_only_the_clouds_own_credentials(api: Callable[[str], ApiClient], testcloud: Cloud) -> None:
    owner = api("owner")
    for wrong, path in (
        ({"account_id": "042"}, "account_id"),
        ({"credentials": {"access_key_id": "AKIA"}}, "credentials.access_key_id"),
        ({"provider": "clay"}, "provider"),
    ):
        refused = owner.post("t/acme/cloud-accounts/", {**ACCOUNT, **wrong})
        assert [problem["path"] for problem in refused.json()["problems"]] == [path]
    created = owner.post("t/acme/cloud-accounts/", ACCOUNT)
    assert created.status_code == 201 and created.json()["provider"] == "testcloud"
    assert "very secret" not in created.content.decode()
    assert owner.get(f"{created['Location']}inventory/").json()["vnets"] == []


def test_the_api_document_has_the_clouds_fields(testcloud: Cloud) -> None:
    from portal.api.cloud_accounts import NewAccountSerializer

    fields: Any = NewAccountSerializer().fields
    assert "testcloud" in fields["provider"].choices
    assert {"key", "suffix", "access_key_id"} <= set(fields["credentials"].fields)


def test_discovery_fills_the_accounts_page_and_the_wizard(
    people: People, account: Any, draft: Any, sign_in: Callable[..., Client]
) -> None:
    assert account.inventory["vnets"][0]["name"] == "shop-testcloud-west1"
    assert "shop-testcloud-west1" in page(sign_in(people.owner), "cloud-accounts/")
    wizard = page(
        sign_in(people.netadmin), f"connectors/new/?draft={draft.uid}&kind={SERVED_KIND}&account={account.uid}"
    )
    assert "Discovered vnets" in wizard and "shop-testcloud-west1" in wizard
    assert "&quot;project&quot;: &quot;sub-042&quot;" in wizard, "picking a network fills in its settings"
    assert "set up by hand for now.</b>" not in wizard


def test_a_cloud_without_a_gateway_is_set_up_by_hand(
    people: People, draft: Any, sign_in: Callable[..., Client], tenant_scope: Callable[..., Any]
) -> None:
    wizard = page(sign_in(people.netadmin), f"connectors/new/?draft={draft.uid}&kind={SERVED_KIND}")
    assert "set up by hand for now.</b>" in wizard and "In GCP, give the" in wizard
    assert problem_codes(people, draft, tenant_scope) == {"cloud_side_by_hand"}


def test_a_cloud_with_a_gateway_is_compiled_priced_planned_and_shown(
    people: People, account: Any, draft: Any, sign_in: Callable[..., Client], tenant_scope: Callable[..., Any]
) -> None:
    from provisioning.services import plans

    assert problem_codes(people, draft, tenant_scope) == set()
    with tenant_scope(people.acme):
        plan = plans.create_plan(draft)
        changes = {change.address: change for change in plan.changes.all()}
    address = "testcloud/sub-042/testcloud-west1/vnet/shops-testcloud-west1/gateway"
    assert changes[address].kind == "testcloud.gateway"
    markup = page(sign_in(people.netadmin), f"plans/{plan.uid}/")
    assert address in markup and "testcloud-west1" in markup


def test_a_run_shows_the_region_of_its_steps_and_a_remedy(testcloud: Cloud) -> None:
    from portal.pages.plan_review import address_location
    from portal.pages.remedies import remedy
    from portal.pages.runs import run_progress
    from provisioning.models import Step

    step = Step(order=0, action="create", address="testcloud/sub-042/testcloud-west1/vnet/a/gateway", state="failed")
    (location,) = run_progress([step], {})["step_groups"]
    assert location["name"] == "Test Cloud testcloud-west1, subscription sub-042"
    assert address_location(step.address) == "testcloud-west1"
    assert remedy("GatewayStuck", "") == TESTCLOUD.remedies["GatewayStuck"]
    assert "Allow testcloud.Attach to the credentials" in remedy("NoAccessLeft", "testcloud.Attach")
    assert "was busy" in remedy("Attaching", "")


def test_a_plan_that_exceeds_the_clouds_quota_is_refused(
    people: People, account: Any, draft: Any, tenant_scope: Callable[..., Any]
) -> None:
    from provisioning.errors import ValidationFailed
    from provisioning.services import plans
    from provisioning.services.drafts import editing

    with tenant_scope(people.acme):
        for name, prefix in (("shops", "10.80.0.0/16"), ("stock", "10.81.0.0/16")):
            editing.add_object(draft, "connectors", connector(name, prefix))
        with pytest.raises(
            ValidationFailed, match=r"would have 2 gateways, Test Cloud allows 1 for each region.*or subscription"
        ):
            plans.create_plan(draft)


@pytest.mark.parametrize(("action", "codes"), [("replace", ["gateway_replaced"]), ("remove", [])])
def test_replacing_the_clouds_gateway_raises_a_warning(testcloud: Cloud, action: Action, codes: list[str]) -> None:
    change = Change(action, "testcloud/sub-042/testcloud-west1/vnet/a/gateway", "testcloud.gateway", {}, {})
    nothing: Intent = load_intent([], catalog.catalog())
    warnings = plan_warnings([change], nothing, nothing, ReachabilityDelta(), drivers.gateway_warnings())
    assert [warning.code for warning in warnings] == codes


def test_the_base_of_tagged_resources_creates_waits_adopts_replaces_and_removes(testcloud: Cloud) -> None:
    sections = cast(SectionPublisher, None)  # Of exchange nodes; no cloud touches them.
    context = DriverContext("acme", {}, lambda provider, account: CloudCredentials(account), sections)
    address, api = "testcloud/sub-042/testcloud-west1/vnet/a/gateway", driver.API

    def apply(action: Action, before: Any, after: Any) -> Done | Waiting:
        return drivers.get_driver("testcloud").apply(
            Change(action, address, "testcloud.gateway", before, after), context
        )

    first = apply("create", None, {"vnet": "a"})
    assert isinstance(first, Waiting) and first.note == "gateway-1 is pending"
    assert isinstance(apply("create", None, {"vnet": "a"}), Waiting), "it was still pending when it was listed"
    assert apply("create", None, {"vnet": "a"}) == Done({"id": "gateway-1"}, {"vnet": "a"})
    assert api.creates == 1, "what the first step created was adopted by those after it"
    (observed,) = drivers.get_driver("testcloud").observe(
        [Change("create", address, "testcloud.gateway", None, {"vnet": "a"})], context
    )
    assert (observed.body, observed.attributes) == ({"vnet": "a"}, {"id": "gateway-1"})
    assert isinstance(apply("replace", {"vnet": "a"}, {"vnet": "b"}), Waiting)
    assert api.gateways == []
    assert isinstance(apply("replace", {"vnet": "a"}, {"vnet": "b"}), Waiting)
    assert [gateway["vnet"] for gateway in api.gateways] == ["b"]
    assert apply("remove", {"vnet": "b"}, None) == Done({}, None)
    assert api.gateways == []


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
        return {problem["code"] for problem in reachability.list_problems(queries.snapshot_of_draft(draft), TODAY)}
