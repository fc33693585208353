"""MkDocs hook: pages that are made from the code, so that they cannot differ from it."""

from __future__ import annotations

import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "provisioning": "provisioning/README.md",
    "core": "provisioning/core/README.md",
    "agent": "provisioning/agent/README.md",
    "drivers": "provisioning/drivers/README.md",
    "aws": "provisioning/drivers/aws/README.md",
    "billing": "billing/README.md",
    "tenants": "tenants/README.md",
    "api": "portal/api/README.md",
    "pages": "portal/pages/README.md",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the references of the kinds of object and of the node document, and the packages' READMEs."""
    sys.path.insert(0, str(ROOT))
    from provisioning.core.intent.reference import reference_markdown
    from provisioning.core.node_document_reference import render_reference

    files.append(File.generated(config, "kinds.md", content=reference_markdown()))
    files.append(File.generated(config, "node-document.md", content=render_reference()))
    for name, path in PACKAGES.items():
        files.append(File.generated(config, f"packages/{name}.md", content=(ROOT / path).read_text()))
    return files
