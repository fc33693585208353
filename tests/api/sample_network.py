"""A small network created, planned and provisioned through the API: two sites at one exchange, a firewall, a policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioning.core import intent as core
from tests.people import ApiClient, ApiResponse

OBJECT_BODIES: dict[str, dict[str, Any]] = {
    "exchanges": {"name": "eu", "location": "aws-eu-central-1", "size": "small"},
    "segments": {"name": "corp", "default_action": "allow", "prefixes": ["10.0.0.0/8"], "color": "#2f6fed"},
    "groups": {"name": "prod"},
    "prefix-lists": {"name": "offices", "entries": [{"prefix": "10.1.0.0/16", "ge": None, "le": 24}]},
    "billing-tags": {"name": "research", "color": "#2f6fed"},
    "connectors": {
        "name": "site-a",
        "kind": "lab-site",
        "exchange": "eu",
        "size": "small",
        "attachments": [{"segment": "corp", "group": "prod", "prefixes": ["10.1.0.0/16"]}],
    },
    "services": {
        "name": "fw",
        "product": "linux-firewall",
        "segments": ["corp"],
        "placements": [{"exchange": "eu", "min_instances": 1, "max_instances": 2}],
    },
    "policies": {
        "name": "prod-out",
        "position": 10,
        "segments": ["corp"],
        "from": ["prod"],
        "to": ["any"],
        "rules": [{"name": "web", "action": "inspect", "services": ["fw"], "protocol": "tcp", "ports": ["443"]}],
    },
    "shares": {
        "name": "lab results",
        "a": {"segment": "corp", "groups": ["prod"]},
        "b": {"segment": "guest", "prefixes": ["10.7.0.0/24"]},
        "direction": "b-to-a",
    },
    "nat-rules": {
        "name": "hide site b",
        "segment": "corp",
        "connector": "site-b",
        "position": 10,
        "direction": "outbound",
        "source": {"type": "pool", "prefixes": ["10.200.0.0/30"]},
    },
    "route-policies": {
        "name": "keep offices",
        "segment": "corp",
        "direction": "out",
        "targets": ["site-b"],
        "rules": [{"match": {"prefixes": ["10.1.0.0/16"]}, "action": "deny"}],
    },
    "internet-apps": {
        "name": "shop",
        "connector": "exit",
        "port": 443,
        "target": {"connector": "site-a", "addresses": ["10.1.2.3"], "port": 8443},
    },
    "assertions": {"name": "prod talks", "from": "prod", "to": "any", "protocol": "tcp", "expect": "reachable"},
}
SECOND_SITE = {
    **OBJECT_BODIES["connectors"],
    "name": "site-b",
    "attachments": [{"segment": "corp", "group": None, "prefixes": ["10.2.0.0/16"]}],
}
# What the bodies name beside each other.
GUEST_SEGMENT = {"name": "guest", "prefixes": ["10.0.0.0/8"]}
LOBBY_SITE = {
    **OBJECT_BODIES["connectors"],
    "name": "lobby",
    "attachments": [{"segment": "guest", "group": None, "prefixes": ["10.7.0.0/16"]}],
}
SAMPLE_KINDS = ("exchanges", "segments", "groups", "connectors", "services", "policies")
INTERNET_EXIT = {"name": "exit", "kind": "internet-exit", "exchange": "eu", "attachments": [{"segment": "corp"}]}


def body_of(kind: str) -> dict[str, Any]:
    """Return a body of the kind: one of its own above, or the example of its declaration."""
    return dict(OBJECT_BODIES.get(kind) or core.kind_of(kind).example)


def create_draft(api: ApiClient, name: str = "work") -> str:
    """Create a draft; return its path."""
    created = api.post("t/acme/drafts/", {"name": name})
    assert created.status_code == 201, created.content
    return f"t/acme/drafts/{created.json()['id']}/"


def create_object(
    api: ApiClient, where: str, kind: str, body: Mapping[str, Any] | None = None, **changes: Any
) -> ApiResponse:
    created = api.post(f"{where}{kind}/", {**(body or body_of(kind)), **changes})
    assert created.status_code == 201, created.content
    return created


def create_sample_network(api: ApiClient, name: str = "work") -> str:
    """Create a draft with the whole network; return its path."""
    where = create_draft(api, name)
    for kind in SAMPLE_KINDS:
        create_object(api, where, kind)
    create_object(api, where, "connectors", SECOND_SITE)
    return where


def create_plan(client: ApiClient, where: str) -> ApiResponse:
    created = client.post(f"{where}plan/")
    assert created.status_code == 201, created.content
    return created


def provision(client: ApiClient, where: str) -> ApiResponse:
    plan = create_plan(client, where)
    run = client.post(f"{plan['Location']}provision/", {"digest": plan.json()["digest"]})
    assert run.status_code == 202, run.content
    return run


def create_every_kind(api: ApiClient, name: str = "work") -> str:
    """Create a draft with an object of every kind; return its path."""
    where = create_sample_network(api, name)
    create_object(api, where, "segments", GUEST_SEGMENT)
    create_object(api, where, "connectors", LOBBY_SITE)
    create_object(api, where, "connectors", INTERNET_EXIT)
    for kind in core.KINDS:
        if kind not in SAMPLE_KINDS:
            create_object(api, where, kind)
    [policy] = api.get(f"{where}policies/").json()["results"]
    rules = [{**policy["rules"][0], "source": ["offices"], "name": "offices"}]
    changes = {"rules": rules, "to": ["shop", "any"], "description": "=1+1"}
    assert api.patch(f"{where}policies/{policy['id']}/", changes).status_code == 200
    return where


def get_document(api: ApiClient, where: str, query: str = "") -> Any:
    return api.get(f"{where}intent/{query}").json()


def import_csv(
    api: ApiClient, where: str, data: str | bytes, kind: str = "connectors", query: str = "", media: str = "text/csv"
) -> ApiResponse:
    return api.send("POST", f"{where}import/{kind}/{query}", data if isinstance(data, bytes) else data.encode(), media)
