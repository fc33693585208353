"""Reading request bodies: bounded, JSON or YAML, and nothing in them that the database could not hold."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

import yaml
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from portal.api import yaml_text
from portal.api.rendering import JsonRenderer
from portal.api.yaml_text import DEEPEST, LONGEST_NUMBER, twice

BITS = 1000
"""Of a whole number: no field is near it, and far longer ones Python refuses to write out."""


class TooLarge(APIException):
    status_code = 413
    default_code = "too_large"


def load(request: Request, most: int) -> bytes:
    """The whole body, at most ``most`` bytes; it can be read again afterwards. Knows chunked bodies too."""
    http: Any = request._request
    declared = http.META.get("CONTENT_LENGTH") or "0"
    body = b"" if declared.isdecimal() and int(declared) > most else http.read(most + 1)
    if len(body) > most or (declared.isdecimal() and int(declared) > most):
        raise TooLarge(f"The body is larger than {most // 1_000_000} MB. Send it in parts.")
    http._body, http._stream = body, BytesIO(body)
    http.META["CONTENT_LENGTH"] = str(len(body))
    return body


class JsonParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            text = stream.read().decode()
            return plain(
                json.loads(
                    text, parse_constant=_no_number, parse_float=_finite, parse_int=_whole, object_pairs_hook=_object
                )
            )
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not JSON: {error}.", "bad_json") from error


class MergePatchParser(JsonParser):
    """RFC 7396: fields that are given replace, the others stay."""

    media_type = "application/merge-patch+json"


class YamlParser(BaseParser):
    media_type = "application/yaml"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return plain(yaml_text.read(stream.read()))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            where = " ".join(str(error).split())
            raise ParseError(f"The body is not YAML: {where}.", "bad_yaml") from error


class YamlRenderer(BaseRenderer):
    media_type = "application/yaml"
    format = "yaml"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        # Through JSON, so that both forms hold the same values.
        return yaml_text.write(json.loads(JsonRenderer().render(data)), width=120)


def plain(value: Any, depth: int = 0) -> Any:
    """The value itself; ValueError where it is no JSON value, too deep, or holds text that cannot be stored."""
    if depth > DEEPEST:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("a text holds the character U+0000")
        value.encode()
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise ValueError(f"the key {key!r} is not a text")
            plain(key, depth + 1)
            plain(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            plain(inner, depth + 1)
    elif isinstance(value, float):
        _finite(value)
    elif isinstance(value, int):
        if value.bit_length() > BITS:
            raise ValueError("a number is out of range")
    elif value is not None:
        raise ValueError(f"{value!r} is of a type JSON does not have")
    return value


def _finite(text: str | float) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text} is out of range")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values under one key the first would be dropped without a word, a list of policies with it."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise twice(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return found


def _whole(text: str) -> int:
    # Before it is read: that takes long, and Python refuses the longest in words of its own.
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number has {len(text):,} digits; quote it if it is a text")
    return int(text)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")
