"""The people of every test: two tenants of an MSP, a direct tenant, a person for each role, and a stranger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

if TYPE_CHECKING:
    # What the test client answers; it exists for type checkers only.
    from django.test.client import _MonkeyPatchedWSGIResponse as ApiResponse

    from tenants.models import Msp, Tenant, User
else:
    from django.http import HttpResponse as ApiResponse

PASSWORD = "a password of the tests"


@dataclass(frozen=True)
class People:
    """acme and globex belong to the MSP; initech is a direct tenant, of which ``stranger`` is the owner."""

    msp: Msp
    acme: Tenant
    globex: Tenant
    initech: Tenant
    operator: User
    msp_admin: User
    msp_engineer: User
    msp_finance: User
    owner: User
    netadmin: User
    secadmin: User
    finance: User
    viewer: User
    globex_owner: User
    stranger: User


class ApiClient:
    """The REST API as one person sees it: paths are below ``/api/v1/``, bodies are JSON values."""

    def __init__(self, secret: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.client = Client(headers=headers, raise_request_exception=False)

    def get(self, path: str, **headers: str) -> ApiResponse:
        return self.client.get(self._url(path), headers=_headers(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> ApiResponse:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> ApiResponse:
        return self.send("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> ApiResponse:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> ApiResponse:
        return self.send("DELETE", path, None, **headers)

    def send(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", **headers: str
    ) -> ApiResponse:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.client.generic(method, self._url(path), data, content_type, headers=_headers(headers))

    def _url(self, path: str) -> str:
        return path if path.startswith(("/", "http")) else f"/api/v1/{path}"


# The fixtures ``api`` and ``tenant_scope``
ApiFactory = Callable[..., ApiClient]
TenantScope = Callable[..., AbstractContextManager[Any]]


def _headers(named: dict[str, str]) -> dict[str, str]:
    """``if_match=…`` → ``If-Match: …``."""
    return {name.replace("_", "-").title(): value for name, value in named.items()}


@pytest.fixture
def people(db: None) -> People:
    from tenants.models import Membership, Msp, Role, Tenant, User

    msp = Msp.objects.create(slug="northwind", name="Northwind Managed Networks")
    acme = Tenant.objects.create(slug="acme", name="Acme Health", msp=msp)
    globex = Tenant.objects.create(slug="globex", name="Globex Retail", msp=msp)
    initech = Tenant.objects.create(slug="initech", name="Initech")

    def person(name: str, role: str = "", *, of: Tenant | Msp | None = None, **fields: Any) -> User:
        user = User.objects.create_user(f"{name}@demo.test", None, name=name.capitalize(), **fields)
        if of:
            where = {"msp": of} if isinstance(of, Msp) else {"tenant": of}
            Membership.objects.create(user=user, role=role, **where)
        return user

    return People(
        msp=msp,
        acme=acme,
        globex=globex,
        initech=initech,
        operator=person("operator", is_operator=True),
        msp_admin=person("msp", Role.MSP_ADMIN, of=msp),
        msp_engineer=person("engineer", Role.MSP_ENGINEER, of=msp),
        msp_finance=person("mspfinance", Role.MSP_FINANCE, of=msp),
        owner=person("owner", Role.OWNER, of=acme),
        netadmin=person("netadmin", Role.NETWORK_ADMIN, of=acme),
        secadmin=person("secadmin", Role.SECURITY_ADMIN, of=acme),
        finance=person("finance", Role.FINANCE, of=acme),
        viewer=person("viewer", Role.VIEWER, of=acme),
        globex_owner=person("globex", Role.OWNER, of=globex),
        stranger=person("stranger", Role.OWNER, of=initech),
    )


@pytest.fixture
def api(people: People) -> ApiFactory:
    """``api("netadmin")``: the API with a new token of that person; ``api()``: as nobody.

    ``tenant``, ``scopes`` and ``expires_at`` narrow the token.
    """
    from tenants import tokens

    def make(name: str | None = None, **narrowed: Any) -> ApiClient:
        return ApiClient(tokens.issue(getattr(people, name), "test", **narrowed)[1] if name else None)

    return make


@pytest.fixture
def tenant_scope() -> Iterator[TenantScope]:
    """``with tenant_scope(people.acme): …`` opens a tenant's scope, as middleware does."""
    from tenants.scope import scope

    yield scope


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    """Return a function that signs a person in and returns the client; CSRF is checked as for a browser."""

    def make(user: User) -> Client:
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        return client

    return make


@pytest.fixture
def password() -> Callable[[User], str]:
    """Return a function that gives a person the tests' password, for signing in through the form."""

    def make(user: User) -> str:
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
        return PASSWORD

    return make
