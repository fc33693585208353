"""The rights there are, and which of them each role has."""

from __future__ import annotations

from tenants.models import Role

RIGHTS: dict[str, str] = {
    "view": "See the network, its plans and runs",
    "edit": "Edit drafts and make plans",
    "mandatory": "Change policies of the mandatory tier, where it is kept from other editors",
    "baseline": "Change policies of the baseline tier, where it is kept from other editors",
    "provision": "Provision a plan, retry and cancel runs",
    "approve": "Approve or reject a plan",
    "accounts": "Add cloud accounts and look what is in them",
    "usage": "See usage, prices and invoices",
    "members": "Manage members and roles",
    "tokens": "Create and revoke API tokens of their own",
    "audit": "Read the audit log",
}

KEEPABLE_TIERS = ("mandatory", "baseline")
"""Tiers of policies that a tenant may keep for some of its people; each is the name of its right, too."""

_NETWORK = {"view", "edit", "provision", "approve", "accounts", "audit", "tokens"}
ROLE_RIGHTS: dict[str, frozenset[str]] = {
    Role.OWNER: frozenset(RIGHTS),
    Role.MSP_ADMIN: frozenset(RIGHTS),
    Role.MSP_ENGINEER: frozenset(_NETWORK | {"usage", *KEEPABLE_TIERS}),
    Role.MSP_FINANCE: frozenset({"view", "usage", "tokens"}),
    Role.NETWORK_ADMIN: frozenset(_NETWORK | {"usage"}),
    Role.SECURITY_ADMIN: frozenset({"view", "edit", "approve", "audit", "tokens", *KEEPABLE_TIERS}),
    Role.FINANCE: frozenset({"view", "usage", "tokens"}),
    Role.VIEWER: frozenset({"view", "tokens"}),
}
