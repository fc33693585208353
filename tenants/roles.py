"""The rights there are, and which of them each role has."""

from __future__ import annotations

from tenants.models import Role

RIGHTS: dict[str, str] = {
    "view": "See the network, its plans and runs",
    "edit": "Edit drafts and make plans",
    "provision": "Provision a plan, retry and cancel runs",
    "approve": "Approve or reject a plan",
    "accounts": "Add cloud accounts and look what is in them",
    "usage": "See usage, prices and invoices",
    "members": "Manage members and roles",
    "tokens": "Create and revoke API tokens of their own",
    "audit": "Read the audit log",
}

_NETWORK = {"view", "edit", "provision", "approve", "accounts", "audit", "tokens"}
ROLE_RIGHTS: dict[str, frozenset[str]] = {
    Role.OWNER: frozenset(RIGHTS),
    Role.MSP_ADMIN: frozenset(RIGHTS),
    Role.MSP_ENGINEER: frozenset(_NETWORK | {"usage"}),
    Role.MSP_FINANCE: frozenset({"view", "usage", "tokens"}),
    Role.NETWORK_ADMIN: frozenset(_NETWORK | {"usage"}),
    Role.SECURITY_ADMIN: frozenset({"view", "edit", "approve", "audit", "tokens"}),
    Role.FINANCE: frozenset({"view", "usage", "tokens"}),
    Role.VIEWER: frozenset({"view", "tokens"}),
}
