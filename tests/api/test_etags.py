"""ETags and conditional reads (RFC 9110, section 13)."""

from __future__ import annotations

import pytest

from tests.people import ApiClient

pytestmark = pytest.mark.django_db


def test_reads_have_an_etag_and_are_304_while_it_matches(netadmin: ApiClient) -> None:
    for path in ("me/", "t/acme/drafts/", "catalog/sizes/", "t/acme/live/intent/"):
        first = netadmin.get(path)
        assert first["ETag"].startswith('"'), path
        assert "no-cache" in first["Cache-Control"]
        again = netadmin.get(path, if_none_match=first["ETag"])
        assert again.status_code == 304 and again.content == b""
