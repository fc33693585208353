"""The reference of all kinds of objects as Markdown, made from their declarations."""

from __future__ import annotations

import json
from collections.abc import Iterator

from provisioning.core.intent import Kind, all_kinds, capitalise
from provisioning.core.intent.connectors import CONNECTOR_KINDS, ConnectorSettings
from provisioning.core.intent.declaration import Declaration, DeclaredField
from provisioning.core.intent.field_help import default_text, help_text, type_text


def reference_markdown() -> str:
    """Return one page: for each kind what it is for, its fields with type, default and meaning, and an example."""
    return "\n".join(["# Kinds of objects", "", *(line for kind in all_kinds() for line in _kind_lines(kind))])


def _kind_lines(kind: Kind) -> Iterator[str]:
    yield from (f"## {capitalise(kind.plural)}", "", f"`{kind.key}`: {kind.about}", "")
    yield from _field_table(kind.declaration)
    if any(isinstance(field.spec, ConnectorSettings) for field in kind.declaration.fields):
        yield from _settings_tables()
    if kind.filters:
        yield from (f"Lists are filtered by {', '.join(f'`{name}`' for name in kind.filters)}.", "")
    orders = ", ".join(f"`{name}`" for name in ("name", *kind.orders))
    yield from (f"Lists are ordered by {orders}.", "")
    for declared, renamed in kind.renamed_fields:
        words = ", ".join(f"`{old}` for `{new}`" for old, new in renamed.words.items())
        yield from (f"The old name `{renamed.name}` of `{declared}` is still read, with {words}.", "")
    yield from ("```json", json.dumps(kind.example, indent=2, ensure_ascii=False), "```", "")


def _field_table(declaration: Declaration, path: str = "") -> Iterator[str]:
    yield "| Field | Type | Default | Meaning |"
    yield "|---|---|---|---|"
    yield from _field_rows(declaration, path)
    yield ""


def _settings_tables() -> Iterator[str]:
    """Yield the settings of each kind of connector that has any."""
    for kind, known in CONNECTOR_KINDS.items():
        if known.settings_declaration.fields:
            yield from (f"### Settings of `{kind}`", "")
            yield from _field_table(known.settings_declaration, "settings.")


def _field_rows(declaration: Declaration, path: str) -> Iterator[str]:
    for field in declaration.fields:
        yield _field_row(field, path)
        if field.nested is not None:
            yield from _field_rows(field.nested, f"{path}{field.name}{'[]' if field.spec.is_list else ''}.")


def _field_row(field: DeclaredField, path: str) -> str:
    default = "required" if field.spec.required else default_text(field.spec)
    type_ = "object, by kind" if isinstance(field.spec, ConnectorSettings) else type_text(field.spec)
    cells = (f"`{path}{field.name}`", type_, default, help_text(field.spec))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
