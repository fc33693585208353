"""Step 1 and 2 of the recipe: the declaration, and what the cloud gets."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Resource
from provisioning.drivers.cloud import Cloud, CloudField, Quota, QuotaUse

SERVED_KIND = "gcp-vpc"
"""A kind of connector that no cloud serves yet."""


def compile_testcloud(network: Network) -> Iterator[Resource]:
    """Yield a gateway for each connector, in the subscription and region that its settings name."""
    for connector in network.intent.connectors.values():
        if connector.kind == SERVED_KIND and connector.enabled:
            settings = connector.settings
            address = f"testcloud/{settings['project']}/{settings['region']}/vnet/{settings['network']}/gateway"
            yield Resource(address, "testcloud.gateway", {"vnet": settings["network"]}, subjects=(connector.uid,))


def testcloud_quota_uses(resource: Resource) -> list[QuotaUse]:
    return [QuotaUse("test_gateways", "/".join(resource.address.split("/")[:3]))]


TESTCLOUD = Cloud(
    name="testcloud",
    label="Test Cloud",
    account_id=CloudField(
        name="account_id",
        label="Subscription number",
        max_length=64,
        pattern="sub-[0-9]{3}",
        rule="sub- and 3 digits",
        example="sub-123",
    ),
    account_word="subscription",
    credentials=(
        CloudField(name="key", label="Key", max_length=20, required=True, secret=True, help="As its console shows it."),
        CloudField(name="suffix", label="Suffix", max_length=20, pattern="[A-Z]+", rule="capital letters"),
    ),
    regions={"testcloud-west1": (50.0, 8.0), "testcloud-east1": (38.0, -77.0)},
    network_word="vnet",
    networks_word="vnets",
    inventory_key="vnets",
    connector_settings={SERVED_KIND: {"project": "account", "network": "name", "region": "region"}},
    quotas=(Quota("test_gateways", 1, "gateways", "region"),),
    quota_uses=testcloud_quota_uses,
    gateway_warnings={"testcloud.gateway": frozenset({"replace"})},
    remedies={"GatewayStuck": "Detach the gateway in the console, then retry."},
    denied_codes=("NoAccess",),
    busy_codes=("Attaching",),
    compile=compile_testcloud,
    discover="tests.drivers.testcloud.driver:discover",
    driver="tests.drivers.testcloud.driver:GatewayDriver",
)
