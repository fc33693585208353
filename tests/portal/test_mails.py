"""Mails leave by a worker, are tried again for a day, and a server that is away stops nobody."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import repeat
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail as sent_mail
from django.core.mail import EmailMessage
from django.core.mail.message import sanitize_address
from django.test import Client
from django.utils import timezone

from tenants import mail
from tenants.models import Mail, Membership
from tests.people import ApiFactory, People

pytestmark = pytest.mark.django_db
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def refusing_server(settings: Any) -> None:
    """Mail is for a port of this machine at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", probe.getsockname()[1]


@pytest.fixture
def silent_server(settings: Any) -> Iterator[None]:
    """The mail server takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST = SMTP, "127.0.0.1"
        settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = server.getsockname()[1], 0.2
        yield


def queued(to: str = "a@demo.test") -> Mail:
    mail.queue_mail(EmailMessage("Subject", "Text", to=[to]))
    return Mail.objects.latest("pk")


@pytest.mark.parametrize("server", ["refusing_server", "silent_server"])
@pytest.mark.parametrize("email", ["owner@demo.test", "nobody@demo.test"])
def test_a_password_is_reset_whatever_the_mail_server_does(
    people: People, server: str, email: str, request: pytest.FixtureRequest, settings: Any
) -> None:
    request.getfixturevalue(server)
    answer = Client().post("/accounts/password/reset/", {"email": email}, follow=True)
    assert answer.status_code == 200
    assert "is on its way" in answer.content.decode() and "tried again for a day" in answer.content.decode()
    mail.send_due_mails(timezone.now)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.send_due_mails(lambda: timezone.now() + timedelta(minutes=1))
    assert [message.to for message in sent_mail.outbox] == [[email]]
    assert Mail.objects.count() == 0


def test_what_waits_is_sealed_because_its_link_lets_people_in(people: People) -> None:
    Client().post("/accounts/password/reset/", {"email": people.owner.email})
    waiting = Mail.objects.get()
    assert "password" not in waiting.sealed
    mail.send_due_mails(timezone.now)
    assert re.search(r"/accounts/password/reset/key/\S+", str(sent_mail.outbox[-1].body))


def test_a_mail_is_tried_again_later_and_later_and_given_up_after_a_day(
    refusing_server: None, caplog: pytest.LogCaptureFixture
) -> None:
    now, delays = queued().due_at, []
    while Mail.objects.exists():
        mail.send_due_mails(partial(next, repeat(now)))
        if waiting := Mail.objects.first():
            delays.append((waiting.due_at - now).total_seconds())
            now = waiting.due_at
    assert delays[:3] == [30, 60, 120] and set(delays[6:]) == {1800}
    assert 86_400 <= sum(delays) < 86_400 + 1_800
    assert caplog.records[-1].levelno == logging.ERROR
    assert "mail to a@demo.test is given up" in caplog.text and "Text" not in caplog.text


def test_an_address_that_is_refused_for_good_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    queued("gone@demo.test")
    queued("busy@demo.test")
    queued("here@demo.test")
    codes, left = {"gone@demo.test": 550, "busy@demo.test": 450}, []

    def send(message: EmailMessage) -> None:
        [to] = message.to
        if to in codes:
            raise SMTPRecipientsRefused({to: (codes[to], b"no")})
        left.append(to)

    monkeypatch.setattr(EmailMessage, "send", send)
    mail.send_due_mails(timezone.now)
    assert left == ["here@demo.test"] and [waiting.to for waiting in Mail.objects.all()] == ["busy@demo.test"]


@pytest.mark.parametrize(("code", "stay"), [(554, 0), (451, 1)])
def test_a_mail_whose_text_is_refused_stops_no_other(monkeypatch: pytest.MonkeyPatch, code: int, stay: int) -> None:
    queued("spam@demo.test")
    queued("here@demo.test")
    left = []

    def send(message: EmailMessage) -> None:
        if message.to == ["spam@demo.test"]:
            raise SMTPDataError(code, b"looks like spam")
        left.append(message.to)

    monkeypatch.setattr(EmailMessage, "send", send)
    mail.send_due_mails(timezone.now)
    assert left == [["here@demo.test"]] and Mail.objects.count() == stay


@pytest.mark.parametrize("email", ["a@\u200d.com", f"a@{'é' * 60}.com"])
def test_a_stranger_stops_no_mails_with_an_address_that_none_can_have(
    people: People, monkeypatch: pytest.MonkeyPatch, email: str
) -> None:
    left: list[str] = []

    def send(message: EmailMessage) -> None:
        left.extend(str(sanitize_address(to, "utf-8")) for to in message.to)

    monkeypatch.setattr(EmailMessage, "send", send)
    for to in (email, "viewer@demo.test"):
        Client(REMOTE_ADDR="192.0.2.7").post("/accounts/password/reset/", {"email": to})
    assert Mail.objects.count() == 2
    mail.send_due_mails(timezone.now)
    assert left == ["viewer@demo.test"] and not Mail.objects.exists()


def test_a_mail_is_its_worker_s_however_long_the_server_took_for_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    queued("a@demo.test")
    queued("b@demo.test")
    minutes, sent = iter([0, 4, 5]), []
    start = timezone.now()

    def send(message: EmailMessage) -> None:
        sent.append(message.to)
        if message.to == ["b@demo.test"]:
            mail.send_due_mails(lambda: start + timedelta(minutes=6))

    monkeypatch.setattr(EmailMessage, "send", send)
    mail.send_due_mails(lambda: start + timedelta(minutes=next(minutes)))
    assert sent == [["a@demo.test"], ["b@demo.test"]]


def test_a_mail_that_a_worker_is_sending_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    queued()
    now, sent = timezone.now(), []

    def send(message: EmailMessage) -> None:
        sent.append(message.to)
        mail.send_due_mails(partial(next, repeat(now)))

    monkeypatch.setattr(EmailMessage, "send", send)
    mail.send_due_mails(lambda: now)
    assert sent == [["a@demo.test"]]


def test_who_invites_sees_why_the_mail_did_not_leave_until_it_has(
    api: ApiFactory, people: People, refusing_server: None, settings: Any
) -> None:
    uid = api("owner").post("t/acme/members/", {"email": "new@demo.test", "role": "viewer"}).json()["id"]
    mail.send_due_mails(timezone.now)
    browser = Client()
    browser.force_login(people.owner)
    page = browser.get("/t/acme/members/").content.decode()
    assert "The mail has not left" in page and "tried again until" in page and "Send again" in page
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.send_due_mails(lambda: timezone.now() + timedelta(minutes=1))
    assert Membership.objects.get(uid=uid).invitation_problem == ""


def test_a_withdrawn_or_answered_invitation_is_not_mailed_any_more(api: ApiFactory, people: People) -> None:
    uid = api("owner").post("t/acme/members/", {"email": "new@demo.test", "role": "viewer"}).json()["id"]
    assert api("owner").delete(f"t/acme/members/{uid}/").status_code == 204
    assert not Mail.objects.exists()
    uid = api("owner").post("t/acme/members/", {"email": "stranger@demo.test", "role": "viewer"}).json()["id"]
    assert api("stranger").post(f"invitations/{uid}/accept/").status_code == 204
    assert not Mail.objects.exists()


def test_a_broker_that_is_away_is_no_error_of_a_request(
    people: People, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr("celery.current_app.send_task", fail)
    with django_capture_on_commit_callbacks(execute=True):
        answer = Client().post("/accounts/password/reset/", {"email": people.owner.email})
    assert answer.status_code == 302 and Mail.objects.count() == 1
