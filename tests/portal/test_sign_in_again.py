"""What a page's parts answer when the session is over."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.people import People

pytestmark = pytest.mark.django_db
HERE = "http://testserver/t/acme/connectors/?q=a"


@pytest.mark.parametrize("path", ["/t/acme/draft-bar/", "/t/acme/topology/side/", "/t/acme/settings/tokens/"])
def test_a_fragment_sends_the_page_to_sign_in_and_back(people: People, path: str) -> None:
    fragment = Client().get(path, headers={"HX-Request": "true", "HX-Current-URL": HERE})
    assert fragment.status_code == 401
    assert fragment["HX-Redirect"] == "/accounts/login/?next=/t/acme/connectors/%3Fq%3Da"


def test_a_foreign_page_is_no_place_to_return_to(people: People) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.test/t/acme/"}
    fragment = Client().get("/t/acme/draft-bar/", headers=headers)
    assert fragment["HX-Redirect"] == "/accounts/login/?next=/t/acme/draft-bar/"


def test_a_script_gets_401_and_a_page_load_the_login(people: People) -> None:
    assert Client().get("/t/acme/topology/", headers={"Sec-Fetch-Dest": "empty"}).status_code == 401
    assert Client().get("/t/acme/topology/", headers={"Sec-Fetch-Dest": "document"}).status_code == 302
