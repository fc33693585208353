"""A small network for the pages' tests: two groups behind two exchanges, one closed segment, an exit."""

from __future__ import annotations

from typing import Any

from provisioning.models import Draft
from provisioning.services import drafts


def draw(draft: Draft) -> dict[str, str]:
    """Adds the network to a draft; name → uid."""

    def add(kind: str, body: dict[str, Any]) -> str:
        return drafts.add(draft, kind, body).uid

    def site(name: str, exchange: str, group: str | None, prefix: str) -> dict[str, Any]:
        attachment = {"segment": "corp", "group": group, "prefixes": [prefix]}
        return {"name": name, "kind": "lab-site", "exchange": exchange, "attachments": [attachment]}

    return {
        "eu": add("exchanges", {"name": "eu", "location": "aws-eu-central-1"}),
        "us": add("exchanges", {"name": "us", "location": "aws-us-east-1"}),
        "corp": add("segments", {"name": "corp", "stance": "closed", "prefixes": ["10.0.0.0/8"]}),
        "prod": add("groups", {"name": "prod"}),
        "dev": add("groups", {"name": "dev"}),
        "site-prod": add("connectors", site("site-prod", "eu", "prod", "10.1.0.0/24")),
        "site-dev": add("connectors", site("site-dev", "us", "dev", "10.2.0.0/24")),
    }
