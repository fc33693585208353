"""The store at 10,000 and 100,000 connectors: lists through the API, loading into the core, and bulk imports.

The database has 500 revisions that changed 60 % of the connectors, and a draft with a few hundred edits. Requests pass
the whole portal in process: middleware, row-level security, rendering. ``python -m tests.bench store``.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tests.bench import Figure, bench
from tests.bench.portal_under_load import start_servers

if TYPE_CHECKING:
    from tests.bench.bulk_import import PostRequest

SIZES = (10_000, 100_000)
REPEATS, REQUESTS = 3, 60
"""Rounds, and requests of each kind in a round."""
BOUND, BOUND_TOTAL, BOUND_LOAD = 40.0, 60.0, 0.6
EXCHANGES, SEGMENTS, GROUPS = 10, 100, 1000
KINDS = ("lab-site", "ipsec-site", "colo", "direct-connect")
REVISIONS = 500

ITEMS = """
    INSERT INTO provisioning_item (tenant_id, uid, kind, key)
    SELECT %(tenant)s, gen_random_uuid(), %(kind)s, %(kind)s || '-' || lpad(n::text, 6, '0')
    FROM generate_series(1, %(count)s) AS n
"""
PLAIN_OBJECTS = """
    INSERT INTO provisioning_version (tenant_id, item_id, kind, name, body, first, last)
    SELECT tenant_id, number, kind, key, jsonb_build_object('name', key, 'description', '') || %(more)s::jsonb,
        1, %(forever)s
    FROM provisioning_item WHERE kind = %(kind)s
"""
CONNECTORS = """
    WITH places AS (
        SELECT (SELECT array_agg(uid ORDER BY number) FROM provisioning_item WHERE kind = 'exchanges') AS exchanges,
            (SELECT array_agg(uid ORDER BY number) FROM provisioning_item WHERE kind = 'segments') AS segments,
            (SELECT array_agg(uid ORDER BY number) FROM provisioning_item WHERE kind = 'groups') AS groups
    ), counted AS (
        SELECT i.*, row_number() OVER (ORDER BY number) AS n FROM provisioning_item i WHERE kind = 'connectors'
    ), named AS (
        SELECT c.*, 2 + n %% %(revisions)s AS changed, 'site-' || lpad((n * 7919 %% 1000000)::text, 6, '0') AS name
        FROM counted c
    )
    INSERT INTO provisioning_version (tenant_id, item_id, kind, name, body, first, last)
    SELECT t.tenant_id, t.number, t.kind, t.name, %(common)s::jsonb || jsonb_build_object(
        'name', t.name, 'description', 'Branch ' || t.n, 'size', part.size,
        'kind', (%(kinds)s::text[])[1 + t.n %% %(many)s], 'exchange', p.exchanges[1 + t.n * 31 %% %(exchanges)s],
        'attachments', jsonb_build_array(jsonb_build_object(
            'segment', p.segments[1 + t.n %% %(segments)s], 'group', p.groups[1 + t.n * 13 %% %(groups)s],
            'prefixes', jsonb_build_array(
                format('10.%%s.%%s.0/24', t.n / %(segments)s / 256, t.n / %(segments)s %% 256))
        ))), part.first, part.last
    FROM named t CROSS JOIN places p CROSS JOIN LATERAL (
        SELECT 'small' AS size, 1 AS first, CASE WHEN t.n %% 10 < 6 THEN changed - 1 ELSE %(forever)s END AS last
        UNION ALL SELECT 'large', changed, %(forever)s WHERE t.n %% 10 < 6) part
"""
CIRCUIT = {"local": None, "peer": None, "vlan": None, "bgp": None}
COMMON: dict[str, Any] = {
    "enabled": True,
    "failover_exchange": None,
    "redundancy_group": None,
    "preference": 100,
    "circuits": [
        {"name": "A", "node": 1, "role": "active", **CIRCUIT},
        {"name": "B", "node": 2, "role": "standby", **CIRCUIT},
    ],
    "settings": {},
    "billing_tags": [],
}


@bench
def store() -> Iterator[Figure]:
    from tests.bench.bulk_import import measure_bulk_import

    owner_url = start_servers()
    yield from measure_bulk_import(_post_request("bulk"))
    for size in SIZES:
        yield from _measure_size(size, owner_url)


def _client(slug: str) -> tuple[Any, Any]:
    """Return a new tenant and a client with the API token of its owner."""
    from django.test import Client

    from tenants import tokens
    from tenants.models import Membership, Role, Tenant, User

    tenant = Tenant.objects.create(slug=slug, name=slug)
    person = User.objects.create_user(f"someone@{slug}.test", None)
    Membership.objects.create(user=person, role=Role.OWNER, tenant=tenant)
    secret = tokens.issue(person, "bench")[1]
    return tenant, Client(headers={"Authorization": f"Bearer {secret}"}, SERVER_NAME="127.0.0.1")


def _post_request(slug: str) -> PostRequest:
    _, client = _client(slug)

    def post(path: str, body: bytes, media: str) -> dict[str, Any]:
        response = client.generic("POST", f"/api/v1/t/{slug}/{path}", body, media)
        assert response.status_code in (200, 201), response.content[:500]
        answer: dict[str, Any] = response.json()
        return answer

    return post


def _measure_size(size: int, owner_url: str) -> Iterator[Figure]:
    tenant, client = _client(f"size-{size}")
    known = _insert_network(tenant, size, owner_url)

    def get(path: str) -> dict[str, Any]:
        response = client.get(f"/api/v1/t/{tenant.slug}/{path}")
        assert response.status_code == 200, response.content[:500]
        answer: dict[str, Any] = response.json()
        return answer

    draft = f"drafts/{known['draft']}/connectors/"
    rng = random.Random(7)
    sorts: dict[str, tuple[float, Callable[[], str]]] = {
        "first page": (BOUND, lambda: draft),
        "deep page": (BOUND, lambda: f"{draft}?cursor={_cursor(rng)}"),
        "old revision": (
            BOUND,
            lambda: f"revisions/{rng.randint(2, REVISIONS)}/connectors/?cursor={_cursor(rng)}",
        ),
        "by kind": (BOUND, lambda: draft + _by_kind(rng)),
        "by exchange": (BOUND, lambda: f"{draft}?exchange={rng.choice(known['exchanges'])}"),
        "by segment": (BOUND, lambda: f"{draft}?segment={rng.choice(known['segments'])}"),
        "by group": (BOUND, lambda: f"{draft}?group={rng.choice(known['groups'])}"),
        "by kind, exchange and group": (
            BOUND,
            lambda: f"{draft}?kind={KINDS[0]}&exchange={known['exchanges'][0]}&group={rng.choice(known['groups'])}",
        ),
        "search": (BOUND, lambda: f"{draft}?search={rng.randint(0, 99_999):05d}"),
        "search, nothing found": (BOUND, lambda: f"{draft}?search=nobody{rng.randint(0, 9)}"),
        "by name, from the end": (BOUND, lambda: f"{draft}?ordering=-name"),
        "total": (BOUND_TOTAL, lambda: f"{draft}?total=1"),
        "by kind, total": (BOUND_TOTAL, lambda: f"{draft}?kind={rng.choice(KINDS)}&total=1"),
        "by segment, total": (BOUND_TOTAL, lambda: f"{draft}?segment={rng.choice(known['segments'])}&total=1"),
        "search, total": (BOUND_TOTAL, lambda: f"{draft}?search={rng.randint(0, 999):03d}&total=1"),
    }
    for name, (bound, path) in sorts.items():
        took = _p95(lambda path=path: get(path()))  # type: ignore[misc]
        yield Figure(f"50 of {size:,} connectors, {name}: p95", took, "ms", bound=bound)
    if size == SIZES[0]:
        took = _measure_loading(tenant)
        yield Figure(f"loading {size:,} objects into the core", took, "s", bound=BOUND_LOAD)


def _insert_network(tenant: Any, size: int, owner_url: str) -> dict[str, Any]:
    """Insert the tenant's network with SQL; return the ids that requests use."""
    from django.db import connection

    from provisioning.models import FOREVER, Draft, Item, LiveRevision, Overlay, Revision, Version
    from provisioning.snapshots import search_index
    from tenants.scope import scope

    counts = {"exchanges": EXCHANGES, "segments": SEGMENTS, "groups": GROUPS, "connectors": size}
    more = {
        "exchanges": {"location": "aws-eu-central-1", "size": "small"},
        "segments": {"default_action": "allow", "prefixes": ["10.0.0.0/8"], "color": None},
        "groups": {},
    }
    with scope(tenant), connection.cursor() as cursor:
        for kind, count in counts.items():
            cursor.execute(ITEMS, {"tenant": tenant.pk, "kind": kind, "count": count})
        for kind, fields in more.items():
            cursor.execute(PLAIN_OBJECTS, {"kind": kind, "more": json.dumps(fields), "forever": FOREVER})
        known: dict[str, Any] = {
            "kinds": list(KINDS),
            "many": len(KINDS),
            "forever": FOREVER,
            "revisions": REVISIONS - 1,
        }
        known["common"] = json.dumps(COMMON)
        cursor.execute(CONNECTORS, {**known, "exchanges": EXCHANGES, "segments": SEGMENTS, "groups": GROUPS})
        Revision.objects.bulk_create(
            Revision(number=number, author="bench", counts=counts) for number in range(1, REVISIONS + 1)
        )
        LiveRevision(live=REVISIONS).save()
    analyze(owner_url)
    with scope(tenant):
        search_index.write_entries(Version.objects.iterator(5000))
        draft = Draft(name="bench", base_revision=REVISIONS, author="bench")
        draft.save()
        connectors = Item.objects.filter(kind="connectors").order_by("number").values_list("number", flat=True)
        changed = Version.objects.filter(item__in=connectors[:: size // 300], last=FOREVER).select_related("item")
        written = Overlay.objects.bulk_create(
            Overlay(
                draft=draft,
                item=version.item,
                kind="connectors",
                name=version.name,
                body={**version.body, "size": "medium"} if index % 10 else None,
            )
            for index, version in enumerate(changed)
        )
        search_index.write_entries(written)
        uids = {
            kind: [str(uid) for uid in Item.objects.filter(kind=kind).order_by("number").values_list("uid", flat=True)]
            for kind in more
        }
    analyze(owner_url)
    return {"draft": str(draft.uid), **uids}


def analyze(owner_url: str) -> None:
    """Vacuum and analyze: autovacuum is off in the tests' database."""
    import psycopg

    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("VACUUM (ANALYZE)")


def _cursor(rng: random.Random, **filters: str) -> str:
    """Return a cursor to a random position in the list of connectors by name."""
    from provisioning.selectors import cursors

    fingerprint = cursors.query_fingerprint("connectors", "name", "", filters)
    return cursors.encode_cursor(fingerprint, (f"site-{rng.randint(0, 999_999):06d}", 0))


def _by_kind(rng: random.Random) -> str:
    kind = rng.choice(KINDS)
    return f"?kind={kind}&cursor={_cursor(rng, kind=kind)}"


def _p95(get: Callable[[], Any]) -> float:
    """Return the 95th percentile in milliseconds, the best of several rounds since the machine is shared."""
    get()
    rounds = []
    for _ in range(REPEATS):
        taken = []
        for _ in range(REQUESTS):
            began = time.perf_counter()
            get()
            taken.append((time.perf_counter() - began) * 1000)
        rounds.append(sorted(taken)[int(REQUESTS * 0.95)])
    return min(rounds)


def _measure_loading(tenant: Any) -> float:
    """Return the seconds to load the tenant's intent, the best of three."""
    from provisioning.snapshots import queries, tenant_cache
    from tenants.scope import scope

    best = float("inf")
    for _ in range(3):
        tenant_cache.clear()
        began = time.perf_counter()
        with scope(tenant):
            intent = tenant_cache.load_intent(queries.live_snapshot())
        best = min(best, time.perf_counter() - began)
        assert len(intent.connectors) == SIZES[0]
    return best
