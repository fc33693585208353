"""Every kind of object on one page: what a list of it shows and the layout of its form are one small module each.

``kind_page.py`` says what a description holds, ``declared_fields.py`` makes fields of forms from the declaration of a
kind, ``bound_form.py`` joins them with an object, ``pages.py`` shows it in a draft, in live and in an old revision.
A kind without a module here has a form of all its fields, and stands in a section of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from portal.pages.objects import (
    assertions,
    billing_tags,
    connectors,
    exchanges,
    groups,
    internet_apps,
    nat_rules,
    policies,
    port_lists,
    prefix_lists,
    route_policies,
    segments,
    services,
    shares,
)
from portal.pages.objects.kind_page import KindPage
from provisioning.core import intent

SECTIONS: tuple[tuple[str, tuple[KindPage, ...]], ...] = (
    ("Network", (exchanges.KIND_PAGE, segments.KIND_PAGE, groups.KIND_PAGE, connectors.KIND_PAGE, services.KIND_PAGE)),
    (
        "Security policy",
        (
            *(policies.KIND_PAGE, shares.KIND_PAGE, internet_apps.KIND_PAGE, prefix_lists.KIND_PAGE),
            *(port_lists.KIND_PAGE, assertions.KIND_PAGE),
        ),
    ),
    ("Edge and routes", (nat_rules.KIND_PAGE, route_policies.KIND_PAGE)),
    ("Money", (billing_tags.KIND_PAGE,)),
)
_DESCRIBED = {kind.key: kind for _, section in SECTIONS for kind in section}


class _KindPages(Mapping[str, KindPage]):
    """The description of every kind there is, in the order of the menu."""

    def __getitem__(self, key: str) -> KindPage:
        if key not in intent.KINDS:
            raise KeyError(key)
        return _DESCRIBED.get(key) or KindPage(key)

    def __iter__(self) -> Iterator[str]:
        return iter((*_DESCRIBED, *(key for key in intent.KINDS if key not in _DESCRIBED)))

    def __len__(self) -> int:
        return len(intent.KINDS)


KIND_PAGES = _KindPages()


def menu_sections() -> tuple[tuple[str, tuple[KindPage, ...]], ...]:
    """Return the sections of the menu; kinds that no section names come last."""
    others = tuple(KIND_PAGES[key] for key in KIND_PAGES if key not in _DESCRIBED)
    return (*SECTIONS, ("Others", others)) if others else SECTIONS
