"""Where a tenant's scope is opened: in middleware, in the task base and in commands, and nowhere behind them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("portal", "tenants", "provisioning", "billing")
OPENINGS = {
    "tenants/middleware.py": "requests",
    "tenants/tasks.py": "jobs, and work over several tenants",
    "tenants/management/commands/verify_audit.py": "a command",
    "portal/management/commands/seed_demo.py": "a command",
    "portal/demo/network.py": "what that command calls",
}


def _calls_of_scope(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name == "scope":
                yield node


def test_a_scope_is_opened_in_middleware_task_base_and_commands_only() -> None:
    opening = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if any(_calls_of_scope(ast.parse(path.read_text())))
    }
    assert opening == set(OPENINGS)
