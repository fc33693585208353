"""The three requests of an agent to the portal: enrol, poll for a newer document, report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

POLL_WAIT_SECONDS = 20
"""Seconds the portal may hold a question for a newer document."""


@dataclass
class PortalClient:
    url: str
    token: str = ""

    def __post_init__(self) -> None:
        # One client: the connection is kept, so the next poll begins within a millisecond of the answer.
        # Without TLS no certificates are loaded: they weigh, on a machine with many agents.
        secure = self.url.startswith("https:")
        timeout = httpx.Timeout(10, read=POLL_WAIT_SECONDS + 10)
        self._client = httpx.Client(base_url=self.url, timeout=timeout, trust_env=False, verify=secure)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Node {self.token}"}

    def enroll(self, location: str, index: int, key: str, epoch: str) -> tuple[str, str]:
        """Return (token, public key as base64)."""
        body = {"location": location, "index": index, "enrollment_key": key, "epoch": epoch}
        answer = self._client.post("/agent/v1/enroll/", json=body)
        answer.raise_for_status()
        data = answer.json()
        return data["token"], data["public_key"]

    def poll_document(self, have: str, wait: int = POLL_WAIT_SECONDS) -> Mapping[str, Any] | None:
        """Return {"document", "signature"}, or None when ``have`` is still the newest after the wait."""
        answer = self._client.get("/agent/v1/document/", params={"have": have, "wait": wait}, headers=self._headers)
        answer.raise_for_status()
        return None if answer.status_code == httpx.codes.NO_CONTENT else answer.json()

    def report(self, body: Mapping[str, Any]) -> None:
        self._client.post("/agent/v1/report/", json=body, headers=self._headers).raise_for_status()
