"""The navigation: groups of pages, each page one line."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True, slots=True)
class NavPage:
    name: str  # the URL name
    word: str
    icon: str
    under: tuple[str, ...] = ()  # URL names of pages that belong below it
    right: str = "view"  # a right of tenants.roles


NAV_GROUPS: tuple[tuple[str, tuple[NavPage, ...]], ...] = (
    (
        "Network",
        (
            NavPage("topology", "Topology", icon="topology-star-3"),
            NavPage(
                "design",
                "Design",
                icon="schema",
                under=(
                    "draft",
                    "draft-objects",
                    "draft-object",
                    "draft-rules",
                    "draft-yaml",
                    "draft-import",
                    "draft-import-files",
                    "draft-central-egress",
                    "draft-rebase",
                ),
            ),
            NavPage("network", "Objects", icon="list-tree", under=("network-object",)),
            NavPage("rules", "Rules", icon="list-details"),
            NavPage("connectors", "Connectors", icon="plug-connected", under=("connector-new",)),
        ),
    ),
    (
        "Change",
        (
            NavPage("plans", "Plans", icon="git-pull-request", under=("plan",)),
            NavPage("runs", "Runs", icon="player-play", under=("run",)),
            NavPage(
                "revisions",
                "Revisions",
                icon="history",
                under=("revision", "revision-object", "revision-objects", "revisions-compare"),
            ),
        ),
    ),
    (
        "Verify",
        (
            NavPage("trace", "Trace", icon="route-square", under=("trace-list",)),
            NavPage("reach", "Reachability", icon="affiliate"),
        ),
    ),
    (
        "Money",
        (
            NavPage("usage", "Usage and cost", icon="chart-bar", right="usage"),
            NavPage("invoices", "Invoices", icon="receipt", under=("invoice",), right="usage"),
        ),
    ),
    (
        "Settings",
        (
            NavPage("cloud-accounts", "Cloud accounts", icon="cloud", right="accounts"),
            NavPage("settings", "Tenant", icon="settings", right="members"),
            NavPage("members", "Members and roles", icon="users", right="members"),
            NavPage("tokens", "API tokens", icon="key"),
            NavPage("audit", "Audit", icon="shield-check", right="audit"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class NavLink:
    word: str
    icon: str
    url: str
    is_current: bool
    name: str


def nav_groups(slug: str, at: str, rights: frozenset[str]) -> list[tuple[str, list[NavLink]]]:
    """Return the pages of a tenant that ``rights`` allow. ``at`` is the URL name of the current page."""
    listed = []
    for word, pages in NAV_GROUPS:
        links = [
            NavLink(
                page.word, page.icon, reverse(page.name, args=[slug]), at == page.name or at in page.under, page.name
            )
            for page in pages
            if page.right in rights
        ]
        if links:
            listed.append((word, links))
    return listed
