"""What the navigation lists: groups of pages, each one line."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True, slots=True)
class Page:
    name: str  # the URL name; pages that belong under it share its first word ("plan" is under "plans")
    word: str
    icon: str
    under: tuple[str, ...] = ()


GROUPS: tuple[tuple[str, tuple[Page, ...]], ...] = (
    (
        "Network",
        (
            Page("topology", "Topology", icon="topology-star-3"),
            Page("design", "Design", icon="schema", under=("draft",)),
            Page("connectors", "Connectors", icon="plug-connected", under=("connector-new",)),
        ),
    ),
    (
        "Change",
        (
            Page("plans", "Plans", icon="git-pull-request", under=("plan",)),
            Page("runs", "Runs", icon="player-play", under=("run",)),
            Page("revisions", "Revisions", icon="history"),
        ),
    ),
    (
        "Money",
        (
            Page("usage", "Usage and cost", icon="chart-bar"),
            Page("invoices", "Invoices", icon="receipt", under=("invoice",)),
        ),
    ),
    (
        "Settings",
        (
            Page("cloud-accounts", "Cloud accounts", icon="cloud"),
            Page("members", "Members and roles", icon="users"),
            Page("tokens", "API tokens", icon="key"),
            Page("audit", "Audit", icon="shield-check"),
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


def groups(slug: str, at: str) -> list[tuple[str, list[Link]]]:
    """The navigation of one tenant; `at` is the URL name of the page being shown."""
    listed = []
    for word, pages in GROUPS:
        links = [
            Link(page.word, page.icon, url, at == page.name or at in page.under, page.name)
            for page in pages
            if (url := _url(page.name, slug))
        ]
        if links:
            listed.append((word, links))
    return listed


def _url(name: str, slug: str) -> str:
    try:
        return reverse(name, args=[slug])
    except NoReverseMatch:
        return ""  # a page this installation does not have is not in its menu
