"""The fields of the node document as a page of Markdown; ``make docs`` puts it into the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NotRequired, get_args, get_origin, get_type_hints

from provisioning.core import node_document, node_document_rules

_HEAD = f"""\
# The node document

Version {node_document.VERSION}, written from the types in `provisioning/core/node_document*.py`. Ranges are written
`10.1.0.0-10.1.255.255`. Decisions about versions are in the agent's README.
"""


def render_reference() -> str:
    """Return the page as Markdown: a table for each type, in the order in which the modules declare them."""
    tables = (
        _render_type(name, declared)
        for module in (node_document, node_document_rules)
        for name, declared in vars(module).items()
        if hasattr(declared, "__required_keys__") and declared.__module__ == module.__name__
    )
    return "\n".join([_HEAD, *tables])


def _render_type(name: str, declared: Any) -> str:
    lines = [
        f"## {name}",
        "",
        re.sub(r"``", "`", str(declared.__doc__)),
        "",
        "| field | type | what |",
        "|---|---|---|",
    ]
    return "\n".join([*lines, *_render_fields(declared), ""])


def _render_fields(declared: Any) -> Iterator[str]:
    for field, hint in get_type_hints(declared, include_extras=True).items():
        is_optional = get_origin(hint) is NotRequired
        type_, help_text = get_args(get_args(hint)[0] if is_optional else hint)
        yield f"| `{field}` | `{_type_name(type_)}` | {help_text}{' (may be left out)' if is_optional else ''} |"


def _type_name(type_: Any) -> str:
    text = type_.__name__ if isinstance(type_, type) and not get_args(type_) else str(type_)
    return re.sub(r"\b[\w.]+\.(?=\w+)", "", text).replace(" | None", " or null")
