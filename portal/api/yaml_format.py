"""The part of YAML that JSON can hold, read and written event by event.

The library's own nodes and constructors take 5 to 7 times as long (``make bench ARGS=yaml_documents``) and would build
all that a short text of aliases expands to. Plain scalars mean what YAML 1.1 says (``no`` is false; the types are at
yaml.org/type), except that dates stay text and ``<<`` is a key like any other. Aliases and tags are refused.
"""

from __future__ import annotations

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
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in ("bool", "int", "float", "null")]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_CONSTRUCT, _REPRESENT = yaml.constructor.SafeConstructor(), yaml.representer.SafeRepresenter()
_RESOLVER = yaml.resolver.Resolver()
_NO_KEY: Any = object()
_MAPPING = yaml.MappingStartEvent(None, None, True, flow_style=False), yaml.MappingEndEvent()
_LIST = yaml.SequenceStartEvent(None, None, True, flow_style=False), yaml.SequenceEndEvent()


def duplicate_key_error(key: Any) -> ValueError:
    return ValueError(f"the key “{str(key)[:100]}” is given twice")


def load_yaml(text: bytes) -> Any:
    """Return the value of a text, None for an empty one. Raise ValueError or YAMLError when it cannot be read."""
    root: list[Any] = []
    container: Any = root
    # The key of the current mapping that waits for its value.
    key: Any = _NO_KEY
    parents: list[tuple[Any, Any]] = []
    values = documents = 0
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
            documents += kind is yaml.DocumentStartEvent
            if documents > 1:
                raise ValueError("there is a second document in it; send one")
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
    return root[0] if root else None


def _tag_error(tag: str) -> ValueError:
    return ValueError(f"tags are not read here; one is {tag[:100]}")


def _plain_scalar(text: str) -> Any:
    """Return the value of a scalar without quotes."""
    tag = _scalar_tag(text) if len(text) <= 64 else _scalar_tag.__wrapped__(text)
    if tag == _STR:
        return text
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError(f"a number has {len(text):,} characters; quote it if it is a text")
    try:
        return _CONSTRUCT.construct_object(yaml.ScalarNode(tag, text))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"“{text[:100]}” is no number; quote it if it is a text") from error


@lru_cache(maxsize=10_000)
def _scalar_tag(text: str) -> str:
    for tag, pattern in (*_RESOLVERS.get(text[:1], ()), *_RESOLVERS.get(None, ())):
        if pattern.match(text):
            return str(tag)
    return _STR


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
        return yaml.ScalarEvent(None, _STR, (_needs_quotes(value), True), value)
    node = _REPRESENT.represent_data(value)
    return yaml.ScalarEvent(None, node.tag, (True, False), node.value)


@lru_cache(maxsize=10_000)
def _needs_quotes(text: str) -> bool:
    """Return whether every YAML reader, also one that knows dates, takes the text without quotes for a string."""
    return _RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) == _STR
