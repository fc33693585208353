"""Documents in which any one value is of another type: they are translated or refused, and never crash."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml

from provisioning.core.translators.translation import BadSource
from tests.core.translators.translating import SOURCES, draw, translate

STRANGE: tuple[Any, ...] = (None, 5, True, "x", "", [], {}, ["x"], [{}], {"a": {"b": 1}}, "10.0.0.0/8", -1.5)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


def with_value(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = deepcopy(document)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return changed


def documents(name: str) -> list[Any]:
    text = (SOURCES / name).read_text()
    return list(yaml.safe_load_all(text)) if name.endswith(".yaml") else [json.loads(text)]


@pytest.mark.parametrize(
    ("key", "name"),
    [("aws-cloud-wan", "core-network.json"), ("kubernetes-policies", "policies.yaml"), ("netbox", "netbox.json")],
)
def test_a_value_of_any_type_is_read_or_refused(key: str, name: str) -> None:
    count = 0
    for document in documents(name):
        for path in places(document):
            for value in STRANGE:
                text = json.dumps(with_value(document, path, value), indent=0)
                try:
                    translation = translate(key, text)
                except BadSource:
                    continue
                count += 1
                if count % 20 == 0:
                    draw(translation)
    assert count > 100
