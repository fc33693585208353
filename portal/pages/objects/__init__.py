"""Every kind of object on one page: what a kind is for, its columns and its form are one small module each.

``kind.py`` says what a description holds, ``fields.py`` what a form is made of, ``form.py`` joins a description with an
object, ``pages.py`` shows it in a draft, in live and in an old revision. Another kind is its module and its line here.
"""

from __future__ import annotations

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
from provisioning.core.intent import KINDS as KNOWN

SECTIONS: tuple[tuple[str, tuple[ObjectKind, ...]], ...] = (
    ("Network", (exchanges.KIND, segments.KIND, groups.KIND, connectors.KIND, services.KIND)),
    ("Who may reach whom", (policies.KIND, shares.KIND, internet_apps.KIND, prefix_lists.KIND, assertions.KIND)),
    ("Edge and routes", (nat_rules.KIND, route_policies.KIND)),
    ("Money", (billing_tags.KIND,)),
)
KINDS: dict[str, ObjectKind] = {kind.key: kind for _, section in SECTIONS for kind in section if kind.key in KNOWN}
