"""Tries of a password: by address and account, with a way in by mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from portal import sign_in_throttle
from provisioning.redis import redis_client
from tenants.mail import send_due_mails
from tests.people import ApiResponse, People

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "a new password of the tests"


@pytest.fixture(autouse=True)
def no_tries() -> None:
    redis = redis_client()
    for key in redis.scan_iter("causeway:sign-in:*"):
        redis.delete(key)


def attempt(email: str, password: str, address: str = "192.0.2.1") -> ApiResponse:
    return Client(REMOTE_ADDR=address).post("/accounts/login/", {"login": email, "password": password})


def test_wrong_passwords_from_one_address_leave_the_person_free_elsewhere(
    people: People, password: Callable[..., str]
) -> None:
    right = password(people.viewer)
    tries = [attempt("viewer@demo.test", "wrong").status_code for _ in range(sign_in_throttle.TRIES_BY_PAIR)]
    assert set(tries) == {200}
    refused = attempt("viewer@demo.test", right)
    assert refused.status_code == 429 and 0 < int(refused["Retry-After"]) <= sign_in_throttle.WINDOW_SECONDS
    assert "/accounts/password/reset/" in refused.content.decode()
    assert attempt("viewer@demo.test", right, "192.0.2.2").status_code == 302
    assert attempt("owner@demo.test", "wrong").status_code == 200


def test_an_address_that_tries_many_accounts_waits(people: People, password: Callable[..., str]) -> None:
    for number in range(sign_in_throttle.TRIES_BY_ADDRESS):
        sign_in_throttle.count_try("2001:db8::1", f"{number}@demo.test")
    assert attempt("viewer@demo.test", password(people.viewer), "2001:db8::2").status_code == 429
    assert attempt("viewer@demo.test", password(people.viewer), "2001:db8:0:1::2").status_code == 302


def test_many_tries_at_once_do_not_pass_together() -> None:
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: sign_in_throttle.count_try("192.0.2.9", "viewer@demo.test"), range(20)))
    assert waits.count(0) == sign_in_throttle.TRIES_BY_PAIR


def test_right_passwords_are_not_counted(people: People, password: Callable[..., str]) -> None:
    right = password(people.viewer)
    signed_in = [attempt("viewer@demo.test", right).status_code for _ in range(2 * sign_in_throttle.TRIES_BY_PAIR)]
    assert set(signed_in) == {302}


def test_a_link_by_mail_lets_in_who_has_to_wait(people: People, password: Callable[..., str]) -> None:
    password(people.viewer)
    for _ in range(sign_in_throttle.TRIES_BY_PAIR + 1):
        attempt("viewer@demo.test", "wrong")
    browser = Client(REMOTE_ADDR="192.0.2.1")
    browser.post("/accounts/password/reset/", {"email": "viewer@demo.test"})
    send_due_mails(timezone.now)
    found = re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert found
    form = browser.get(found[1]).headers["Location"]
    browser.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert browser.get("/t/acme/topology/").status_code == 200
