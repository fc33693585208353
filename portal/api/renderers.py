"""Answers as JSON, tables as CSV.

Decimals are told as decimal texts: a float would lose the cents that an invoice is about.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.utils.encoders import JSONEncoder


class DecimalJsonEncoder(JSONEncoder):
    def default(self, obj: Any) -> Any:
        return format(obj, "f") if isinstance(obj, Decimal) else super().default(obj)


class JsonRenderer(JSONRenderer):
    encoder_class = DecimalJsonEncoder


class CsvRenderer(BaseRenderer):
    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return str(data).encode()
