"""Where a tenant's scope is opened: in middleware, in the base of jobs and in commands; four modules more name why."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("portal", "tenants", "provisioning", "billing")
OPENINGS = {
    "tenants/middleware.py": "requests",
    "tenants/jobs.py": "jobs, and in_scope for those below",
    "tenants/management/commands/verify_audit.py": "a command",
    "portal/management/commands/seed_demo.py": "a command",
    "provisioning/management/commands/import_network.py": "a command",
    "portal/demo/network.py": "what that command calls",
}

ALL_NODES = {
    "provisioning/selectors/nodes.py": "nodes_of_tenant",
    "provisioning/services/nodes.py": "enrols nodes and takes their reports",
    "provisioning/services/node_sections.py": "publishes to nodes, and asks whether any of them is heard",
}
"""What reads the platform table of nodes, which no scope filters; all else asks for ``nodes_of_tenant()``."""

CALLS_IN_SCOPE = {
    "tenants/invitations.py": "who answers an invitation is not in the tenant's scope yet",
    "tenants/services.py": "middleware cannot open the scope of a tenant that the request is creating",
    "provisioning/services/nodes.py": "a node serves several tenants, and its document is made of all of theirs",
    "portal/live_feed.py": "looks at a tenant's rates while it has sockets, outside any request",
    "portal/api/plan_wait.py": "waits outside any transaction and looks at the plan in between",
}
"""What imports ``jobs.in_scope``. A job's own ``self.in_scope`` is in the scope of its one tenant."""


def _calls_of_scope(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name == "scope":
                yield node


def _imports_in_scope(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and any(alias.name == "in_scope" for alias in node.names)
        for node in ast.walk(tree)
    )


def _asks_for_all_nodes(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "objects"
        and isinstance(node.value, ast.Name)
        and node.value.id == "Node"
        for node in ast.walk(tree)
    )


def _modules(matches: Callable[[ast.AST], bool]) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if matches(ast.parse(path.read_text()))
    }


def test_a_scope_is_opened_in_middleware_task_base_and_commands_only() -> None:
    assert _modules(lambda tree: any(_calls_of_scope(tree))) == set(OPENINGS)


def test_few_modules_call_a_function_in_the_scope_of_a_tenant_they_name() -> None:
    assert _modules(_imports_in_scope) == set(CALLS_IN_SCOPE)


def test_few_modules_read_the_nodes_of_every_tenant() -> None:
    assert _modules(_asks_for_all_nodes) == set(ALL_NODES)
