"""Answers as JSON or YAML, tables as CSV.

Decimals are written as decimal texts: a float would lose cents.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from provisioning.core.formats import yaml_format


class DecimalJsonEncoder(JSONEncoder):
    def default(self, obj: Any) -> Any:
        return format(obj, "f") if isinstance(obj, Decimal) else super().default(obj)


class JsonRenderer(JSONRenderer):
    encoder_class = DecimalJsonEncoder


class FormatParameter:
    """A view in which `?format=` names one of its renderers, whatever Accept says."""

    renderer_classes: Any

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        wanted = request.query_params.get("format")
        chosen = next((renderer for renderer in self.renderer_classes if renderer.format == wanted), None)
        if chosen is not None:
            return chosen(), chosen.media_type
        negotiated: tuple[Any, str] = super().perform_content_negotiation(request, force)  # type: ignore[misc]
        return negotiated


class CsvRenderer(BaseRenderer):
    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return str(data).encode()


class YamlRenderer(BaseRenderer):
    media_type = "application/yaml"
    format = "yaml"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        # Through JSON, so that both forms hold the same values.
        return yaml_format.dump_yaml(json.loads(JsonRenderer().render(data)), width=120)
