"""The node document's own description."""

from __future__ import annotations

from typing import get_type_hints

from provisioning.core import node_document, node_document_rules
from provisioning.core.node_document_reference import render_reference


def test_the_reference_page_has_every_field_of_every_type() -> None:
    page = render_reference()
    types = [
        declared
        for module in (node_document, node_document_rules)
        for declared in vars(module).values()
        if hasattr(declared, "__required_keys__") and declared.__module__ == module.__name__
    ]
    assert len(types) > 20
    for declared in types:
        _, _, section = page.partition(f"## {declared.__name__}\n")
        section, _, _ = section.partition("\n## ")
        assert [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")] == list(
            get_type_hints(declared)
        )
