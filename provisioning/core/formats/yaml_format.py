"""The part of YAML that JSON can hold, read and written event by event.

The library's own nodes and constructors take 5 to 7 times as long (``make bench ARGS=yaml_documents``) and would build
all that a short text of aliases expands to. Plain scalars mean what the core schema of YAML 1.2 says (10.3.2): ``no``
and ``20:21`` are texts. What would be another number in YAML 1.1 (``010``, ``1_000``, ``1e3``) is refused, and so are
aliases and tags.
"""

from __future__ import annotations

import re
from functools import lru_cache
from io import BytesIO
from typing import Any

import yaml

MAX_DEPTH = 32
MAX_VALUES = 3_000_000
"""Keys and values of a text; reading that many takes a few seconds."""
MAX_NUMBER_LENGTH = 1000
"""Characters; converting longer ones takes long, and no field comes near them."""

_STR = "tag:yaml.org,2002:str"
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_OLD_NUMBERS = {
    first: [pattern for tag, pattern in resolvers if tag.rpartition(":")[2] in ("int", "float")]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
"""First character → what a number looks like in YAML 1.1."""
_REPRESENT = yaml.representer.SafeRepresenter()
_RESOLVER = yaml.resolver.Resolver()
_NO_KEY: Any = object()
_MAPPING = yaml.MappingStartEvent(None, None, True, flow_style=False), yaml.MappingEndEvent()
_LIST = yaml.SequenceStartEvent(None, None, True, flow_style=False), yaml.SequenceEndEvent()


def duplicate_key_error(key: Any) -> ValueError:
    return ValueError(f"the key “{str(key)[:100]}” is given twice")


def load_yaml(text: bytes) -> Any:
    """Return the value of a text, None for an empty one. Raise ValueError or YAMLError when it cannot be read."""
    documents = load_yaml_documents(text, most=1)
    return documents[0][1] if documents else None


def load_yaml_documents(text: bytes, most: int) -> list[tuple[int, Any]]:
    """Return the line and the value of each document of a text. Raise as ``load_yaml`` does, and for more documents
    than ``most``."""
    root: list[Any] = []
    container: Any = root
    # The key of the current mapping that waits for its value.
    key: Any = _NO_KEY
    parents: list[tuple[Any, Any]] = []
    values, lines = 0, list[int]()
    event: Any
    for event in yaml.parse(text, yaml.CSafeLoader):
        kind = type(event)
        if kind is yaml.ScalarEvent:
            if event.tag:
                raise _tag_error(event.tag)
            value = _plain_scalar(event.value) if event.implicit[0] else event.value
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            if event.tag:
                raise _tag_error(event.tag)
            value = {} if kind is yaml.MappingStartEvent else []
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            container, key = parents.pop()
            continue
        elif kind is yaml.AliasEvent:
            raise ValueError("aliases are not read here")
        else:
            if kind is yaml.DocumentStartEvent:
                lines.append(event.start_mark.line + 1)
            if len(lines) > most:
                raise ValueError(f"it has more than {most} document{'s' if most > 1 else ''}; send it in parts")
            continue
        values += 1
        if values > MAX_VALUES:
            raise ValueError(f"it has more than {MAX_VALUES:,} keys and values; send it as JSON, or in parts")
        if type(container) is list:
            container.append(value)
        elif key is _NO_KEY:
            if isinstance(value, list | dict):
                raise ValueError("a key is a list or an object; keys are texts")
            if value in container:
                raise duplicate_key_error(value)
            key = value
            continue
        else:
            container[key] = value
            key = _NO_KEY
        if kind is not yaml.ScalarEvent:
            parents.append((container, key))
            if len(parents) > MAX_DEPTH:
                raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
            container, key = value, _NO_KEY
    return list(zip(lines, root, strict=True))


def _tag_error(tag: str) -> ValueError:
    return ValueError(f"tags are not read here; one is {tag[:100]}")


def _plain_scalar(text: str) -> Any:
    """Return the value of a scalar without quotes."""
    return _read_plain(text) if len(text) <= 64 else _read_plain.__wrapped__(text)


@lru_cache(maxsize=10_000)
def _read_plain(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    is_integer = _INTEGER.fullmatch(text)
    is_number = is_integer or _FLOAT.fullmatch(text)
    was_number = ":" not in text and any(pattern.match(text) for pattern in _OLD_NUMBERS.get(text[:1], ()))
    if not is_number and not was_number:
        return text
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError(f"a number has {len(text):,} characters; quote it if it is a text")
    if not is_number or not was_number or _LEADING_ZERO.match(text):
        raise ValueError(
            f"“{text}” is another value in YAML 1.1 than in YAML 1.2; quote it if it is a text, or write a plain number"
        )
    return int(text, 16 if text.startswith("0x") else 10) if is_integer else float(text.lower().replace(".inf", "inf"))


def dump_yaml(value: Any, width: int) -> bytes:
    """Return the text of a JSON value, fields in their order; a string that would be read as another type is quoted."""
    out = BytesIO()
    dumper = yaml.CSafeDumper(out, allow_unicode=True, width=width, encoding="utf-8")
    dumper.open()
    dumper.emit(yaml.DocumentStartEvent(explicit=False))
    _emit(dumper, value)
    dumper.emit(yaml.DocumentEndEvent(explicit=False))
    dumper.close()
    return out.getvalue()


def _emit(dumper: Any, value: Any) -> None:
    if isinstance(value, dict):
        dumper.emit(_MAPPING[0])
        for key, inner in value.items():
            dumper.emit(_scalar_event(key))
            _emit(dumper, inner)
        dumper.emit(_MAPPING[1])
    elif isinstance(value, list):
        dumper.emit(_LIST[0])
        for inner in value:
            _emit(dumper, inner)
        dumper.emit(_LIST[1])
    else:
        dumper.emit(_scalar_event(value))


def _scalar_event(value: Any) -> yaml.ScalarEvent:
    if isinstance(value, str):
        return yaml.ScalarEvent(None, _STR, (_can_be_plain(value), True), value)
    node = _REPRESENT.represent_data(value)
    return yaml.ScalarEvent(None, node.tag, (True, False), node.value)


@lru_cache(maxsize=10_000)
def _can_be_plain(text: str) -> bool:
    """Return whether readers of YAML 1.1, with its dates, and of 1.2 take the text without quotes for a string."""
    is_number = _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text)
    return not is_number and _RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) == _STR
