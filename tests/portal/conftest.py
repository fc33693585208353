"""What tests of all pages share: the address of every page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.people import People
from tests.portal.sample_network import add_every_kind, create_sample_network
from tests.portal.test_page_access import PAGES, address

KINDS = ("connectors", "policies", "nat-rules", "shares", "assertions")
FRAGMENTS = ("audit-verify", "draft-bar", "topology-side", "network-download")


@pytest.fixture
def page_paths(people: People, tenant_scope: Callable[..., Any]) -> list[str]:
    """Of every page, with something on those that show a draft and its plan."""
    from provisioning.services import plans
    from provisioning.services.drafts import editing, lifecycle

    with tenant_scope(people.acme):
        draft = lifecycle.create_draft("rollout")
        create_sample_network(draft)
        add_every_kind(draft)
        # Warned about with a path that has no place to break at.
        inner = [{"segment": "corp", "prefixes": ["10.1.0.128/25"]}]
        lab = {"name": "laboratory", "kind": "lab-site", "exchange": "us", "attachments": inner}
        editing.add_object(draft, "connectors", lab)
        plan = plans.create_plan(draft)
    root = f"design/{draft.uid}/"
    drafted = [f"{root}{view}" for view in ("", "rules/", "yaml/", "objects/", *(f"objects/{kind}/" for kind in KINDS))]
    listed = [address(name) for name in PAGES if name and name not in FRAGMENTS]
    return listed + [f"/t/acme/{path}" for path in (*drafted, f"plans/{plan.uid}/", f"connectors/?draft={draft.uid}")]
