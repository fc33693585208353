"""Tiers of policies that a tenant keeps for some of its people (``Tenant.tiers``): nobody else changes them."""

from __future__ import annotations

from collections.abc import Iterable

from provisioning.core.values.resource import Problem
from provisioning.errors import Forbidden
from provisioning.models import Draft, Edit, Item, Overlay
from provisioning.services.drafts.overlay import Body, BodyChange
from tenants.actor import Actor, acting, current_actor
from tenants.models import User
from tenants.principal import Principal
from tenants.roles import KEEPABLE_TIERS
from tenants.scope import current_tenant


def kept_tiers() -> dict[str, str]:
    """Return tier → who keeps it, in words, of those in which the actor may change nothing."""
    tenant, person = current_tenant(), current_actor()
    return {tier: str(tenant.tier_owner(tier).label) for tier in KEEPABLE_TIERS if not person.has_right(tier)}


def refuse_kept(changes: Iterable[BodyChange]) -> None:
    """Raise Forbidden where a change touches a policy in a tier, or brings one into it, that is kept from the actor."""
    kept = kept_tiers()
    if not kept:
        return
    problems = [
        Problem(f"lacks_{tier}", f"policies/{change.item.key}/tier", _refusal(body, tier, kept[tier]))
        for change in changes
        if change.item.kind == "policies"
        for body in (change.before or change.after,)
        for tier in _tiers_touched(change) & kept.keys()
        if body
    ]
    if problems:
        raise Forbidden(problems[0].message, problems)


def refuse_edits_of_others(draft: Draft) -> None:
    """Raise Forbidden where an edit in force touches a policy in a kept tier that its author may not change (any more).

    A tier may be kept, or a policy moved into it by others, after an edit was made.
    """
    tenant = current_tenant()
    if not tenant.tiers:
        return
    changed = Overlay.objects.filter(draft=draft, kind="policies").values_list("item", flat=True)
    items = Item.objects.in_bulk(list(changed))
    rights: dict[str, frozenset[str] | None] = {}
    for edit in Edit.objects.filter(draft=draft, number__lte=draft.cursor) if items else ():
        touched = [change for change in edit.changes if change["item"] in items]
        if touched and edit.author not in rights:
            author = User.objects.filter(email=edit.author).first()
            rights[edit.author] = Principal(author).rights(tenant) if author else None
        with acting(Actor(edit.author, rights=rights.get(edit.author))):
            refuse_kept(BodyChange(items[each["item"]], each["before"], each["after"]) for each in touched)


def _tiers_touched(change: BodyChange) -> set[str]:
    return {body["tier"] for body in (change.before, change.after) if body and "tier" in body}


def _refusal(body: Body, tier: str, keeper: str) -> str:
    return (
        f"Policies of the {tier} tier are changed by {keeper} only, so “{body['name']}” was not. Ask one of them, or "
        "write a policy of the standard tier."
    )
