"""Assertions about problem documents (RFC 9457)."""

from __future__ import annotations

from typing import Any

from tests.people import ApiResponse


def assert_problem(answer: ApiResponse, status: int) -> Any:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["type"].startswith("urn:causeway:problem:")
    assert body["title"] and body["detail"]
    return body


def get_problems(answer: ApiResponse, status: int = 422) -> Any:
    assert len(answer.content) < 200_000
    return assert_problem(answer, status)["problems"]
