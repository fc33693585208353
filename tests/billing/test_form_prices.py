"""Sizes and products in forms say what they cost each month."""

from __future__ import annotations

import pytest

from portal.pages.objects import KIND_PAGES
from portal.pages.objects.form_fields import SelectField
from portal.pages.objects.prices import PRICED_FIELDS, add_prices
from tenants.models import Tenant
from tenants.scope import scope


def option_words(kind: str) -> list[str]:
    body = KIND_PAGES[kind].blank or {"kind": "lab-site"}
    fields = add_prices(kind, KIND_PAGES[kind].fields(body), body)
    (priced,) = (field for field in fields if isinstance(field, SelectField) and field.path == PRICED_FIELDS[kind].path)
    return [word for _, word in priced.options]


@pytest.mark.parametrize("kind", list(PRICED_FIELDS))
def test_each_option_that_is_sold_by_the_hour_has_its_price(acme: Tenant, kind: str) -> None:
    with scope(acme):
        words = option_words(kind)
    assert words and all("€" in word and "a month" in word for word in words), words


def test_the_price_of_a_small_exchange_is_that_of_730_hours(acme: Tenant) -> None:
    with scope(acme):
        (small,) = (word for word in option_words("exchanges") if word.startswith("small,"))
    assert small.endswith(", € 306.60 a month")


def test_without_a_price_book_the_options_stay_as_they_are(acme: Tenant) -> None:
    unpriced = Tenant.objects.create(slug="unpriced", name="Unpriced")
    with scope(unpriced):
        words = option_words("exchanges")
    assert not any("a month" in word for word in words)
