"""Reading request bodies: bounded in size, JSON or YAML, and only values that the database can store."""

from __future__ import annotations

import json
import math
from collections import Counter
from io import BytesIO
from typing import IO, Any

import yaml
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from provisioning.core.formats import yaml_format
from provisioning.core.formats.yaml_format import MAX_DEPTH, MAX_NUMBER_LENGTH, duplicate_key_error

MAX_INTEGER_BITS = 1000
"""Of an integer: no field comes near it, and Python refuses to print integers of more than 4,300 digits."""


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "too_large"


def read_body(request: Request, max_body_bytes: int) -> bytes:
    """Return the whole body, chunked or not; it can be read again afterwards.

    Raises BodyTooLarge when it has more than ``max_body_bytes``.
    """
    http: Any = request._request
    declared = http.META.get("CONTENT_LENGTH") or "0"
    body = b"" if declared.isdecimal() and int(declared) > max_body_bytes else http.read(max_body_bytes + 1)
    if len(body) > max_body_bytes or (declared.isdecimal() and int(declared) > max_body_bytes):
        raise BodyTooLarge(f"The body is larger than {max_body_bytes // 1_000_000} MB. Send it in parts.")
    http._body, http._stream = body, BytesIO(body)
    http.META["CONTENT_LENGTH"] = str(len(body))
    return body


class JsonParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            text = stream.read().decode()
            return check_json_value(
                json.loads(
                    text,
                    parse_constant=_refuse_constant,
                    parse_float=_finite_float,
                    parse_int=_bounded_integer,
                    object_pairs_hook=_object_without_duplicates,
                )
            )
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not JSON: {error}.", "bad_json") from error


class MergePatchParser(JsonParser):
    """JSON Merge Patch (RFC 7396): given fields replace, the others stay."""

    media_type = "application/merge-patch+json"


class YamlParser(BaseParser):
    media_type = "application/yaml"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return check_json_value(yaml_format.load_yaml(stream.read()))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            where = " ".join(str(error).split())
            raise ParseError(f"The body is not YAML: {where}.", "bad_yaml") from error


class CsvParser(BaseParser):
    media_type = "text/csv"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return bytes(stream.read())


def check_json_value(value: Any, depth: int = 0) -> Any:
    """Return the value. Raise ValueError when it is no JSON value, too deep, or holds text that cannot be stored."""
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("a text holds the character U+0000")
        value.encode()
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise ValueError(f"the key {key!r} is not a text")
            check_json_value(key, depth + 1)
            check_json_value(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            check_json_value(inner, depth + 1)
    elif isinstance(value, float):
        _finite_float(value)
    elif isinstance(value, int):
        if value.bit_length() > MAX_INTEGER_BITS:
            raise ValueError("a number is out of range")
    elif value is not None:
        raise ValueError(f"{value!r} is of a type JSON does not have")
    return value


def _finite_float(text: str | float) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text} is out of range")
    return number


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object. Raise ValueError for a key given twice, whose first value would silently be dropped."""
    result = dict(pairs)
    if len(result) < len(pairs):
        raise duplicate_key_error(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return result


def _bounded_integer(text: str) -> int:
    # Checked before it is converted: that takes long, and Python refuses the longest with its own message.
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError(f"a number has {len(text):,} digits; quote it if it is a text")
    return int(text)


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")
