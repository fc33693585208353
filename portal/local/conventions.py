"""Conventions that no linter knows (part of ``make check``): unique class names, short functions, narrow templates."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("billing", "docs", "portal", "provisioning", "static", "templates", "tenants", "tests")
SKIPPED = {"node_modules", "build", "__pycache__"}
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_TEMPLATE_COLUMNS = 120

SHARED_CLASS_NAMES = {
    "Command": "Django looks for a management command under this name",
    "Migration": "Django looks for a migration under this name",
}
"""Class names that may stand more than once in production code, each with its reason."""


def project_files(*endings: str) -> list[Path]:
    """Return the project's own files with these endings, sorted; without what set-up installs or builds."""
    listed = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if file.suffix in endings]
    top = [file for file in ROOT.iterdir() if file.suffix in endings]
    return sorted(file for file in (*listed, *top) if not SKIPPED & set(file.relative_to(ROOT).parts))


def repeated_class_names(modules: dict[Path, ast.Module]) -> Iterator[str]:
    """Yield the module-level classes of production code whose name stands in more than one module."""
    homes: dict[str, list[str]] = defaultdict(list)
    for path, tree in modules.items():
        if path.relative_to(ROOT).parts[0] != "tests":
            for node in tree.body:
                if isinstance(node, ast.ClassDef) and node.name not in SHARED_CLASS_NAMES:
                    homes[node.name].append(str(path.relative_to(ROOT)))
    for name, places in homes.items():
        if len(places) > 1:
            yield f"class {name} stands in {' and '.join(places)}: one word, one meaning"


def long_functions(modules: dict[Path, ast.Module]) -> Iterator[str]:
    for path, tree in modules.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                lines = node.end_lineno - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has {lines} lines: split it"


def long_modules(modules: dict[Path, ast.Module]) -> Iterator[str]:
    for path in modules:
        lines = len(path.read_text().splitlines())
        if lines > MAX_MODULE_LINES:
            yield f"{path.relative_to(ROOT)} has {lines} lines: look for the second noun in it"


def wide_template_lines() -> Iterator[str]:
    for path in project_files(".html"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if len(line) > MAX_TEMPLATE_COLUMNS:
                yield f"{path.relative_to(ROOT)}:{number}: {len(line)} columns: a diff of it cannot be reviewed"


def main() -> int:
    modules = {path: ast.parse(path.read_text()) for path in project_files(".py") if "migrations" not in path.parts}
    problems = [
        *repeated_class_names(modules),
        *long_functions(modules),
        *long_modules(modules),
        *wide_template_lines(),
    ]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
