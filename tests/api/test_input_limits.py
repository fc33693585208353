"""Texts, numbers and times that cannot be stored are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from provisioning.selectors import cursors
from tenants.models import User
from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import create_draft
from tests.people import ApiClient, People

pytestmark = pytest.mark.django_db


def test_a_text_that_cannot_be_stored_is_refused_also_in_paths(netadmin: ApiClient) -> None:
    assert_problem(netadmin.get("t/acme/drafts/?search=%00"), 400)
    assert_problem(netadmin.get("t/acme/members/?role=viewer&cursor=%ff"), 400)


def test_numbers_and_times_out_of_range_are_refused(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    assert_problem(netadmin.get(f"{where}groups/?limit={'9' * 5000}"), 400)
    question = cursors.query_fingerprint("/api/v1/t/acme/drafts/", "-created_at", {})
    cursor = cursors.encode_cursor(question, ("0001-01-01T00:00:00+23:00", 1))
    problem = assert_problem(netadmin.get(f"t/acme/drafts/?ordering=-created_at&cursor={cursor}"), 400)
    assert problem["problems"][0]["code"] == "out_of_range"
    assert_problem(netadmin.get("t/acme/audit/?from=0001-01-01T00:00:00%2B23:00"), 400)
    assert_problem(netadmin.get("t/acme/invoices/%00/"), 400)


def test_a_page_refuses_text_that_cannot_be_stored(people: People, sign_in: Callable[[User], Client]) -> None:
    browser = sign_in(people.netadmin)
    assert browser.get("/t/acme/audit/?search=%00").status_code == 400
    browser.cookies["csrftoken"] = "a" * 32
    sent = {"csrfmiddlewaretoken": "a" * 32}
    assert browser.post("/t/acme/settings/tokens/", {**sent, "name": "a\0b"}).status_code == 400
    assert browser.post("/t/acme/settings/tokens/", {**sent, "name": "x" * 121}).status_code == 200
