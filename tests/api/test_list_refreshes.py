"""The source of a prefix list in the API: fetched when asked for, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provisioning.models import Draft, ListRefresh
from provisioning.services import list_refresh
from tests.api.sample_network import create_draft, create_object
from tests.people import ApiFactory, People
from tests.provisioning.list_server import serve_lists

pytestmark = pytest.mark.django_db


def test_the_api_asks_for_a_refresh_and_says_what_came_of_it(
    api: ApiFactory, people: People, tenant_scope: Callable[..., Any]
) -> None:
    with serve_lists() as server:
        body = {"name": "feed", "source": {"url": server.url(), "format": "text"}}
        where = create_draft(api("netadmin"))
        stored = create_object(api("netadmin"), where, "prefix-lists", body).json()
        path = f"{where}prefix-lists/{stored['id']}/refresh/"
        assert api("viewer").post(path).status_code == 403
        assert api("viewer").get(path).json()["fetched_at"] is None
        assert api("netadmin").post(path).status_code == 202
        with tenant_scope(people.acme):
            pk = ListRefresh.objects.get().pk
        list_refresh.RefreshJob(people.acme).run(pk)
        known = api("viewer").get(path).json()
        assert (known["error"], known["failures"]) == ("127.0.0.1 answered 404 Not Found.", 1)
        server.put("198.51.100.0/24")
        api("netadmin").post(path)
        list_refresh.RefreshJob(people.acme).run(pk)
        assert api("viewer").get(path).json()["error"] == ""
        entries = api("viewer").get(f"{where}prefix-lists/{stored['id']}/").json()["entries"]
        assert [entry["prefix"] for entry in entries] == ["198.51.100.0/24"]
        with tenant_scope(people.acme):
            assert Draft.objects.count() == 1
        assert api("netadmin").post(f"t/acme/live/prefix-lists/{stored['id']}/refresh/").status_code == 404
