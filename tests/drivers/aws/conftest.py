"""Fixtures: a moto process behind the fault proxy, both reset for each test."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from provisioning.drivers.aws.session import clear_cached_clients
from provisioning.lab import aws_fault_proxy, moto
from tests.drivers.aws.testbed import REGION, AwsTestbed


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    with moto.running_moto() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def proxy_endpoint(moto_endpoint: str) -> Iterator[str]:
    with aws_fault_proxy.running_proxy(moto_endpoint) as endpoint:
        yield endpoint


class Faults:
    """Client of the proxy's control API."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def rule(self, operation: str, fault: str, **more: Any) -> None:
        self._call("POST", "/_faults", {"rules": [{"operation": operation, "fault": fault, **more}]})

    def pending(self, **seconds: float) -> None:
        self._call("POST", "/_faults", {"pending": {word.replace("_", "-"): value for word, value in seconds.items()}})

    def calls(self, beginning: tuple[str, ...] = ("",)) -> list[str]:
        return [call["operation"] for call in self._call("GET", "/_calls") if call["operation"].startswith(beginning)]

    def writes(self) -> list[str]:
        return self.calls(("Create", "Delete", "Modify", "Associate", "Disassociate", "Enable", "Disable", "Replace"))

    def clear(self) -> None:
        self._call("DELETE", "/_faults")
        self._call("DELETE", "/_calls")

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.endpoint + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)


@pytest.fixture
def faults(proxy_endpoint: str) -> Faults:
    return Faults(proxy_endpoint)


@pytest.fixture
def fresh_sessions() -> Iterator[None]:
    """Clear cached sessions, for tests of authentication. Other tests share clients, which are slow to create."""
    clear_cached_clients()
    yield
    clear_cached_clients()


@pytest.fixture
def testbed(
    moto_endpoint: str, proxy_endpoint: str, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AwsTestbed]:
    """Return a driver that calls through the proxy, and a client on moto itself for assertions."""
    moto.reset_moto(moto_endpoint)
    faults.clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy_endpoint)
    yield AwsTestbed(moto_endpoint, REGION)
    faults.clear()
