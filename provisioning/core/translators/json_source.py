"""JSON of other systems, read within bounds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from provisioning.core.translators.translation import BadSource, SourceFile

MAX_DEPTH = 32


def load_json(file: SourceFile) -> Any:
    """Return the value of a file. Raise BadSource where it is not JSON, or nested too deeply."""
    try:
        value = json.loads(file.text(), parse_constant=_refuse_constant)
        _check_depth(value, 0)
    except json.JSONDecodeError as error:
        raise BadSource(f"{file.name}:{error.lineno}", f"This is not JSON: {error.msg}.") from error
    except (ValueError, RecursionError) as error:
        raise BadSource(file.name, f"This is not JSON that can be read: {error}.") from error
    return value


def mapping(value: Any) -> Mapping[str, Any]:
    """Return an object as it is, and an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def objects(value: Any, *keys: str) -> list[Mapping[str, Any]]:
    """Return the objects of a list that stands at these keys; what is anything else is left out."""
    for key in keys:
        value = mapping(value).get(key)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """Return a text or a list of texts and numbers as a list of texts."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [str(each) for each in values if isinstance(each, str | int) and not isinstance(each, bool)]


def _check_depth(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        _check_depth(each, depth + 1)


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")
