"""A small network, drawn, planned and provisioned through the API: two sites at one exchange, a firewall, a policy."""

from __future__ import annotations

BODIES = {
    "exchanges": {"name": "eu", "location": "aws-eu-central-1", "size": "small"},
    "segments": {"name": "corp", "stance": "open", "prefixes": ["10.0.0.0/8"], "color": "#2f6fed"},
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
    **BODIES["connectors"],
    "name": "site-b",
    "attachments": [{"segment": "corp", "group": None, "prefixes": ["10.2.0.0/16"]}],
}
# What the bodies name beside each other.
GUESTS = {"name": "guest", "prefixes": ["10.0.0.0/8"]}
LOBBY = {
    **BODIES["connectors"],
    "name": "lobby",
    "attachments": [{"segment": "guest", "group": None, "prefixes": ["10.7.0.0/16"]}],
}
EXIT = {"name": "exit", "kind": "internet-exit", "exchange": "eu", "attachments": [{"segment": "corp"}]}


def draft(api, name="work"):
    """The address of a new draft."""
    made = api.post("t/acme/drafts/", {"name": name})
    assert made.status_code == 201, made.content
    return f"t/acme/drafts/{made.json()['id']}/"


def add(api, where, kind, body=None, **changes):
    made = api.post(f"{where}{kind}/", {**(body or BODIES[kind]), **changes})
    assert made.status_code == 201, made.content
    return made


def draw(api, name="work"):
    """A draft with the whole network in it; returns its address."""
    where = draft(api, name)
    for kind in ("exchanges", "segments", "groups", "connectors", "services", "policies"):
        add(api, where, kind)
    add(api, where, "connectors", SECOND_SITE)
    return where


def plan_of(client, where):
    made = client.post(f"{where}plan/")
    assert made.status_code == 201, made.content
    return made


def provision(client, where):
    plan = plan_of(client, where)
    going = client.post(f"{plan['Location']}provision/", {"digest": plan.json()["digest"]})
    assert going.status_code == 202, going.content
    return going


def draw_everything(api, name="work"):
    """A draft with an object of every kind; returns its address."""
    where = draw(api, name)
    add(api, where, "segments", GUESTS)
    add(api, where, "connectors", LOBBY)
    add(api, where, "connectors", EXIT)
    for kind in (
        "prefix-lists",
        "billing-tags",
        "shares",
        "nat-rules",
        "route-policies",
        "internet-apps",
        "assertions",
    ):
        add(api, where, kind)
    [policy] = api.get(f"{where}policies/").json()["results"]
    rules = [{**policy["rules"][0], "source": ["offices"], "name": "offices"}]
    told = {"rules": rules, "to": ["shop", "any"], "description": "=1+1"}
    assert api.patch(f"{where}policies/{policy['id']}/", told).status_code == 200
    return where


def document_of(api, where, query=""):
    return api.get(f"{where}intent/{query}").json()


def table(api, where, data, kind="connectors", query="", media="text/csv"):
    return api.send("POST", f"{where}import/{kind}/{query}", data if isinstance(data, bytes) else data.encode(), media)
