"""The node document's own description."""

from __future__ import annotations

from provisioning.core.node_document_reference import REFERENCE, render_reference


def test_the_reference_page_is_what_the_types_say() -> None:
    assert REFERENCE.read_text() == render_reference(), "run python -m provisioning.core.node_document_reference"
