"""Rate limits: 429 with Retry-After."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.problem_assertions import assert_problem
from tests.people import ApiClient, ApiFactory

pytestmark = pytest.mark.django_db


def test_too_many_requests_are_answered_429_with_retry_after(
    netadmin: ApiClient, api: ApiFactory, settings: Any
) -> None:
    settings.API_REQUESTS = 3
    codes = [netadmin.get("me/").status_code for _ in range(8)]
    refused = next(answer for answer in iter(lambda: netadmin.get("me/"), None) if answer.status_code == 429)
    assert_problem(refused, 429)
    assert 1 <= int(refused["Retry-After"]) <= 11
    assert codes[0] == 200 and 429 in codes
    assert api("owner").get("me/").status_code == 200
