"""Sizes and products in forms with what they cost each month, where a price book applies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from billing.services import price_plan
from portal.pages.number_formats import money
from portal.pages.objects.form_fields import FormField, SelectField
from portal.pages.objects.kind_page import Body
from provisioning.core.values.resource import Resource


class PricedField(NamedTuple):
    """The field whose options differ in price, the resource that is sold by the hour, and what the price is for."""

    path: str
    resource_kind: str
    unit: str


PRICED_FIELDS = {
    "exchanges": PricedField("size", "exchange.presence", "a month"),
    "connectors": PricedField("size", "exchange.connector", "a month"),
    "services": PricedField("product", "exchange.instance", "a month for each instance"),
}


def add_prices(kind: str, fields: Sequence[FormField], body: Body) -> Sequence[FormField]:
    """Return the fields of a form with prices in the words of the options that differ in price."""
    priced = PRICED_FIELDS.get(kind)
    if priced is None:
        return fields
    return [
        replace(field, options=_priced_options(priced, field.options, body))
        if isinstance(field, SelectField) and field.path == priced.path
        else field
        for field in fields
    ]


def _priced_options(priced: PricedField, options: Sequence[tuple[str, str]], body: Body) -> list[tuple[str, str]]:
    alternatives = [
        Resource(value, priced.resource_kind, {**body, priced.path: value}) for value, _ in options if value
    ]
    prices = price_plan([], alternatives)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for line in prices["lines"]:
        amounts[line["subject"]["address"]] += Decimal(line["amount"])
    return [
        (value, f"{word}, {money(amounts[value], prices['currency'])} {priced.unit}" if value in amounts else word)
        for value, word in options
    ]
