"""MkDocs hook: pages that are made from the code, so that they cannot differ from it, and links that lead to them.

Links in Markdown lead to files of the checkout. In the site a link to a README, or to the code that a reference is made
from, leads to its page; a link to another file of the checkout is its text alone.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from posixpath import dirname, join, normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "provisioning": "provisioning/README.md",
    "core": "provisioning/core/README.md",
    "agent": "provisioning/agent/README.md",
    "lab": "provisioning/lab/README.md",
    "drivers": "provisioning/drivers/README.md",
    "aws": "provisioning/drivers/aws/README.md",
    "billing": "billing/README.md",
    "tenants": "tenants/README.md",
    "api": "portal/api/README.md",
    "pages": "portal/pages/README.md",
}

SOURCES = {f"packages/{name}.md": path for name, path in PACKAGES.items()} | {
    "kinds.md": "provisioning/core/intent",
    "node-document.md": "provisioning/core/node_document.py",
}
"""Page of the site → the file or folder of the checkout that it is made from; all other pages are files of docs/."""

_LINK = re.compile(r"\[([^\]]*)\]\(([^)#\s]+)(#[^)]*)?\)")


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


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    return rewrite_links(markdown, page.file.src_uri)


def rewrite_links(markdown: str, page: str) -> str:
    """Return a page's Markdown with its links to files of the checkout turned into links to pages of the site."""
    folder = dirname(SOURCES.get(page, f"docs/{page}"))
    pages = {path: name for name, path in SOURCES.items()}

    def rewrite(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        if "://" in target:
            return link[0]
        path = normpath(join(folder, target))
        name = path.removeprefix("docs/") if path.startswith("docs/") else pages.get(path)
        return f"[{text}]({relpath(name, dirname(page) or '.')}{anchor})" if name else text

    return _LINK.sub(rewrite, markdown)
