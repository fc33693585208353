"""Fixtures of the API tests; every response is validated against the OpenAPI schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.people import ApiClient, ApiFactory, ApiResponse, People, TenantScope


@cache
def _schema() -> dict[str, Any]:
    from portal.api.docs import openapi_document
    from portal.api.renderers import DecimalJsonEncoder

    return json.loads(json.dumps(openapi_document(), cls=DecimalJsonEncoder))


@cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [
        (re.compile(re.sub(r"{\w+}", "[^/]+", path.replace(".", r"\.")) + "$"), verbs)
        for path, verbs in sorted(_schema()["paths"].items(), key=lambda entry: entry[0].count("{"))
    ]


@cache
def _validator(path: str, verb: str, status: str) -> Draft202012Validator | None:
    verbs = next((verbs for pattern, verbs in _paths() if pattern.match(path)), None)
    if verbs is None or verb not in verbs:
        assert int(status) in (401, 404, 405), f"{verb} {path} answers {status} and is not in the schema."
        return None
    responses = verbs[verb]["responses"]
    response = responses.get(status) or (responses["default"] if int(status) >= 400 else None)
    assert response is not None, f"{verb} {path} answers {status}, which the schema does not know."
    contents: dict[str, dict[str, Any]] = response.get("content", {})
    shape: dict[str, Any] = next((content.get("schema", {}) for content in contents.values()), {})
    return Draft202012Validator({**shape, "components": _schema()["components"]})


def assert_matches_schema(verb: str, path: str, answer: Any) -> None:
    kind = answer.headers.get("Content-Type", "")
    if not path.startswith("/api/v1/") or "json" not in kind or path.startswith("/api/v1/schema/"):
        return
    validator = _validator(path, verb.lower(), str(answer.status_code))
    if validator is None:
        return
    wrong = [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(answer.json())]
    assert not wrong, f"{verb} {path} {answer.status_code}: {wrong}"


@pytest.fixture(autouse=True)
def _responses_match_schema(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def get(self: ApiClient, path: str, **headers: str) -> Any:
        answer = plain_get(self, path, **headers)
        assert_matches_schema("GET", answer.wsgi_request.path, answer)
        return answer

    def send(self: ApiClient, method: str, path: str, *args: Any, **headers: Any) -> Any:
        answer = plain_send(self, method, path, *args, **headers)
        assert_matches_schema(method, answer.wsgi_request.path, answer)
        return answer

    plain_get, plain_send = ApiClient.get, ApiClient.send
    monkeypatch.setattr(ApiClient, "get", get)
    monkeypatch.setattr(ApiClient, "send", send)
    yield


@pytest.fixture
def netadmin(api: ApiFactory) -> ApiClient:
    return api("netadmin")


@pytest.fixture
def finish(people: People, tenant_scope: TenantScope) -> Callable[[ApiResponse], None]:
    """Return a function that ends a run as if its workers had finished every step."""
    from provisioning.models import Run, Step
    from provisioning.services import runs

    def end(answer: ApiResponse) -> None:
        with tenant_scope(people.acme):
            run = Run.objects.get(uid=answer.json()["id"])
            Step.objects.filter(run=run).update(state=Step.State.DONE)
            runs.update_run_state(run)

    return end
