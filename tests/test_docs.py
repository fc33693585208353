"""The documentation is in the checkout, its links lead somewhere, and what tests quote stands in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from posixpath import dirname, join, normpath
from runpy import run_path

import pytest

from portal.local.conventions import project_files

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)(?:\{[^}]*\})?")
QUOTED = re.compile(r"“([^”]+)”")


@pytest.mark.parametrize("page", project_files(".md"), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_names_a_file(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in targets if not (page.parent / link).exists()] == []


def test_every_link_of_the_site_leads_to_a_page() -> None:
    hooks = run_path(str(ROOT / "docs" / "hooks.py"))
    sources = {str(path.relative_to(ROOT / "docs")): path for path in (ROOT / "docs").glob("*.md")}
    sources |= {page: ROOT / path for page, path in hooks["SOURCES"].items() if path.endswith(".md")}
    files = {*hooks["SOURCES"], *(str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.*"))}
    broken = [
        f"{page}: {link}"
        for page, source in sources.items()
        for link in LINK.findall(hooks["rewrite_links"](source.read_text(), page))
        if "://" not in link and normpath(join(dirname(page), link)) not in files
    ]
    assert broken == []


def test_docs_semantics_contains_every_sentence_that_tests_quote() -> None:
    semantics = _plain((ROOT / "docs" / "semantics.md").read_text())
    missing = [
        f"{module.name}: {part}"
        for module in (ROOT / "tests" / "core").glob("test_semantics_*.py")
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.FunctionDef)
        for quotation in QUOTED.findall(ast.get_docstring(node) or "")
        for part in re.split("…", quotation)
        if _plain(part) not in semantics
    ]
    assert missing == []


def test_every_cited_document_is_in_the_checkout() -> None:
    cited = re.compile(r"\b(DESIGN|CONTRACT|STYLE)\b(?:\.md)?")
    citing = [
        str(path.relative_to(ROOT))
        for path in project_files(".py", ".md", ".html", ".js", ".css", ".toml")
        if path != Path(__file__) and cited.search(path.read_text())
    ]
    assert citing == []


def _plain(text: str) -> str:
    """One space between words, and no punctuation at the ends: a quotation may begin or end inside a sentence."""
    return " ".join(text.split()).strip(" .,;:").lower()
