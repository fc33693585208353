"""What the navigation lists: groups of pages, each one line."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True, slots=True)
class Page:
    name: str  # the URL name
    word: str
    icon: str
    under: tuple[str, ...] = ()  # URL names of pages that belong below it
    right: str = "view"  # a right of tenants.roles


GROUPS: tuple[tuple[str, tuple[Page, ...]], ...] = (
    (
        "Network",
        (
            Page("topology", "Topology", icon="topology-star-3"),
            Page(
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
                    "draft-rebase",
                ),
            ),
            Page("network", "Everything", icon="list-tree", under=("network-object",)),
            Page("connectors", "Connectors", icon="plug-connected", under=("connector-new",)),
        ),
    ),
    (
        "Change",
        (
            Page("plans", "Plans", icon="git-pull-request", under=("plan",)),
            Page("runs", "Runs", icon="player-play", under=("run",)),
            Page(
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
            Page("trace", "Trace", icon="route-square"),
            Page("reach", "Reachability", icon="affiliate"),
        ),
    ),
    (
        "Money",
        (
            Page("usage", "Usage and cost", icon="chart-bar", right="usage"),
            Page("invoices", "Invoices", icon="receipt", under=("invoice",), right="usage"),
        ),
    ),
    (
        "Settings",
        (
            Page("cloud-accounts", "Cloud accounts", icon="cloud", right="accounts"),
            Page("members", "Members and roles", icon="users", right="members"),
            Page("tokens", "API tokens", icon="key"),
            Page("audit", "Audit", icon="shield-check", right="audit"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Link:
    word: str
    icon: str
    url: str
    here: bool
    name: str


def groups(slug: str, at: str, rights: frozenset[str]) -> list[tuple[str, list[Link]]]:
    """The navigation of one tenant; `at` is the URL name of the page being shown, `rights` say what is listed."""
    listed = []
    for word, pages in GROUPS:
        links = [
            Link(page.word, page.icon, url, at == page.name or at in page.under, page.name)
            for page in pages
            if page.right in rights and (url := address(page.name, slug))
        ]
        if links:
            listed.append((word, links))
    return listed


def address(name: str, *args: object) -> str:
    """The address of a page; "" for one that this installation does not have, so that nothing links to it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
