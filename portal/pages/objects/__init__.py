"""Every kind of object on one page: what a list of it shows and the layout of its form are one small module each.

``object_kind.py`` says what a description holds, ``declared_fields.py`` makes fields of forms from the declaration of a
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
    prefix_lists,
    route_policies,
    segments,
    services,
    shares,
)
from portal.pages.objects.object_kind import ObjectKind
from provisioning.core import intent

SECTIONS: tuple[tuple[str, tuple[ObjectKind, ...]], ...] = (
    ("Network", (exchanges.KIND, segments.KIND, groups.KIND, connectors.KIND, services.KIND)),
    ("Who may reach whom", (policies.KIND, shares.KIND, internet_apps.KIND, prefix_lists.KIND, assertions.KIND)),
    ("Edge and routes", (nat_rules.KIND, route_policies.KIND)),
    ("Money", (billing_tags.KIND,)),
)
_DESCRIBED = {kind.key: kind for _, section in SECTIONS for kind in section}


class _ObjectKinds(Mapping[str, ObjectKind]):
    """The description of every kind there is, in the order of the menu."""

    def __getitem__(self, key: str) -> ObjectKind:
        if key not in intent.KINDS:
            raise KeyError(key)
        return _DESCRIBED.get(key) or ObjectKind(key)

    def __iter__(self) -> Iterator[str]:
        return iter((*_DESCRIBED, *(key for key in intent.KINDS if key not in _DESCRIBED)))

    def __len__(self) -> int:
        return len(intent.KINDS)


KINDS = _ObjectKinds()


def menu_sections() -> tuple[tuple[str, tuple[ObjectKind, ...]], ...]:
    """Return the sections of the menu; kinds that no section names come last."""
    others = tuple(KINDS[key] for key in KINDS if key not in _DESCRIBED)
    return (*SECTIONS, ("Others", others)) if others else SECTIONS
