"""Answers as JSON. Decimals are told as decimal texts: a float would lose the cents that an invoice is about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder


class Encoder(JSONEncoder):
    def default(self, obj: Any) -> Any:
        return format(obj, "f") if isinstance(obj, Decimal) else super().default(obj)


class JsonRenderer(JSONRenderer):
    encoder_class = Encoder
