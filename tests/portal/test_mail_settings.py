"""EMAIL_URL, and the page of an installation that keeps its mails as files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import send_mail
from django.test import Client

from portal.email_url import read_email_url
from tests.people import People


def test_an_address_becomes_the_settings_of_mail() -> None:
    smtp = read_email_url("smtp://me%40x:p%2Fw@mail.example.net:587/?tls=1&from=net@example.net", "portal.test")
    assert (smtp["EMAIL_HOST"], smtp["EMAIL_PORT"], smtp["EMAIL_USE_TLS"]) == ("mail.example.net", 587, True)
    assert (smtp["EMAIL_HOST_USER"], smtp["EMAIL_HOST_PASSWORD"]) == ("me@x", "p/w")
    assert smtp["DEFAULT_FROM_EMAIL"] == "net@example.net"
    smtps = read_email_url("smtps://mail.example.net", "portal.test")
    assert (smtps["EMAIL_PORT"], smtps["EMAIL_USE_SSL"], smtps["EMAIL_USE_TLS"]) == (465, True, False)
    assert smtps["DEFAULT_FROM_EMAIL"] == "causeway@portal.test"
    assert read_email_url("file:///var/a%20b", "portal.test")["EMAIL_FILE_PATH"] == "/var/a b"


@pytest.mark.parametrize("url", ["", "console:", "smtp:///", "file://relative", "smtp://host/?tsl=1", "http://host"])
def test_a_wrong_address_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match="EMAIL_URL"):
        read_email_url(url, "portal.test")


@pytest.mark.parametrize("name", ["EMAIL_URL", "PUBLIC_URL"])
def test_a_portal_without_its_mail_settings_does_not_start_and_says_what_to_set(name: str) -> None:
    env = {**os.environ, name: ""}
    command = [sys.executable, "-c", "import portal.asgi"]
    started = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert started.returncode and f"{name} is not set." in started.stderr and f"Set {name} to " in started.stderr


@pytest.mark.django_db
def test_mails_kept_as_files_are_shown_to_this_machine_only(people: People, settings: Any, tmp_path: Path) -> None:
    assert Client().get("/mails/").status_code == 404
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    send_mail("Grüße", "Follow http://127.0.0.1/x/ <b>", None, ["you@demo.test"])
    page = Client().get("/mails/").content.decode()
    assert "Grüße" in page and 'href="http://127.0.0.1/x/"' in page and "&lt;b&gt;" in page
    assert Client(REMOTE_ADDR="192.0.2.7").get("/mails/").status_code == 404
    assert "/mails/" in Client().get("/accounts/login/").content.decode()
    assert "/mails/" not in Client(REMOTE_ADDR="192.0.2.7").get("/accounts/login/").content.decode()
