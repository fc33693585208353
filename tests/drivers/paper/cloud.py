"""Step 1 and 2 of the recipe: the declaration, and what the cloud gets."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Resource
from provisioning.drivers.cloud import Cloud, CloudField, Quota, QuotaUse

SERVED_KIND = "gcp-vpc"
"""A kind of connector that no cloud serves yet."""


def compile_paper(network: Network) -> Iterator[Resource]:
    """Yield a folder for each connector, in the pad and region that its settings name."""
    for connector in network.intent.connectors.values():
        if connector.kind == SERVED_KIND and connector.enabled:
            settings = connector.settings
            address = f"paper/{settings['project']}/{settings['region']}/sheet/{settings['network']}/folder"
            yield Resource(address, "paper.folder", {"sheet": settings["network"]}, subjects=(connector.uid,))


def paper_quota_uses(resource: Resource) -> list[QuotaUse]:
    return [QuotaUse("paper_folders", "/".join(resource.address.split("/")[:3]))]


PAPER = Cloud(
    name="paper",
    label="Paper",
    account_id=CloudField(
        name="account_id",
        label="Pad number",
        max_length=64,
        pattern="pad-[0-9]{3}",
        rule="pad- and 3 digits",
        example="pad-123",
    ),
    account_word="pad",
    credentials=(
        CloudField(name="ink", label="Ink", max_length=20, required=True, secret=True, help="Blue or black."),
        CloudField(name="stamp", label="Stamp", max_length=20, pattern="[A-Z]+", rule="capital letters"),
    ),
    regions={"paper-west1": (50.0, 8.0), "paper-east1": (38.0, -77.0)},
    network_word="sheet",
    networks_word="sheets",
    inventory_key="sheets",
    connector_settings={SERVED_KIND: {"project": "account", "network": "name", "region": "region"}},
    quotas=(Quota("paper_folders", 1, "folders", "region"),),
    quota_uses=paper_quota_uses,
    gateway_warnings={"paper.folder": frozenset({"replace"})},
    remedies={"PaperJam": "Open the tray, take the sheet out, then retry."},
    denied_codes=("NoInk",),
    busy_codes=("Folding",),
    compile=compile_paper,
    discover="tests.drivers.paper.driver:discover",
    driver="tests.drivers.paper.driver:PaperDriver",
)
