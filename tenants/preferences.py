"""What a tenant sets for everybody in it, and what a person sets for themselves, which goes first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.utils.module_loading import import_string

from tenants import audit
from tenants.actor import current_actor
from tenants.errors import TenantRequestRefused
from tenants.models import Tenant, TierOwner, User
from tenants.notifications import EVENTS
from tenants.scope import current_tenant


def time_zone_of(user: User, tenant: Tenant | None) -> tzinfo:
    """Return the zone in which a person reads times: their own, else the tenant's, else UTC."""
    return ZoneInfo(user.time_zone or (tenant.time_zone if tenant else "UTC"))


@cache
def time_zones() -> list[str]:
    """Return the zones of the tz database that are named after a place, and UTC."""
    legacy = ("Etc/", "SystemV/", "US/", "Brazil/", "Canada/", "Chile/", "Mexico/")
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith(legacy))]


def lock_tenant() -> Tenant:
    """Return the tenant in force, its row locked until the transaction ends."""
    return Tenant.objects.select_for_update(of=("self",)).select_related("msp").get(pk=current_tenant().pk)


def change_settings(tenant: Tenant, changes: Mapping[str, Any]) -> None:
    """Change ``requires_approval``, ``currency``, ``time_zone``, ``notifications`` or ``tiers`` of ``lock_tenant()``.

    ``currency`` None leaves it to the first price book; ``notifications`` and ``tiers`` name only what changes.
    """
    wanted = dict(changes)
    if "time_zone" in wanted:
        _check_time_zone(wanted["time_zone"])
    if "currency" in wanted:
        wanted["currency"] = wanted["currency"] or ""
        import_string(settings.CURRENCY_RULE)(wanted["currency"])
    if "notifications" in wanted:
        wanted["notifications"] = _changed_channels(tenant.notifications, wanted["notifications"])
    if "tiers" in wanted:
        wanted["tiers"] = _changed_owners(tenant, wanted["tiers"])
    changed = [name for name, value in wanted.items() if value != getattr(tenant, name)]
    if not changed:
        return
    before, after = {name: getattr(tenant, name) for name in changed}, {name: wanted[name] for name in changed}
    for name, value in after.items():
        setattr(tenant, name, value)
    tenant.save(update_fields=changed)
    audit.record(
        "tenant.change", kind="tenant", object_id=tenant.slug, object_name=tenant.name, before=before, after=after
    )


def _changed_owners(tenant: Tenant, changes: Mapping[str, str]) -> dict[str, str]:
    """Return tier → who changes its policies after the changes; only who may change a tier gives it away."""
    for tier, owner in changes.items():
        path = f"tiers.{tier}"
        if owner == tenant.tier_owner(tier):
            continue
        if owner == TierOwner.MSP and tenant.msp is None:
            raise TenantRequestRefused(400, "not_one_of", path, f"{tenant.name} has no MSP. Choose somebody else.")
        if not current_actor().has_right(tier):
            keeper = tenant.tier_owner(tier).label
            raise TenantRequestRefused(403, f"lacks_{tier}", path, f"The {tier} tier is kept by {keeper}. Ask them.")
    return {tier: owner for tier, owner in {**tenant.tiers, **changes}.items() if owner != TierOwner.EDITORS}


def lock_person(user: User) -> User:
    return User.objects.select_for_update().get(pk=user.pk)


def change_profile(user: User, changes: Mapping[str, Any]) -> None:
    """Change ``name``, ``time_zone`` or ``notifications`` of a person (of ``lock_person``).

    ``time_zone`` None is the tenant's; ``notifications`` names only events that change, None as the tenant has it.
    """
    wanted = dict(changes)
    if "name" in wanted:
        wanted["name"] = " ".join(wanted["name"].split())
        if len(wanted["name"]) > 120 or not wanted["name"].isprintable():
            raise TenantRequestRefused(400, "out_of_range", "name", "A name has at most 120 printable characters.")
    if "time_zone" in wanted:
        wanted["time_zone"] = wanted["time_zone"] or ""
        _check_time_zone(wanted["time_zone"] or "UTC")
    if "notifications" in wanted:
        wanted["notifications"] = _changed_channels(user.notifications, wanted["notifications"])
    for name, value in wanted.items():
        setattr(user, name, value)
    user.save(update_fields=list(wanted))


def _check_time_zone(name: str) -> None:
    if name not in available_timezones():
        detail = f"“{name}” is no time zone. Use a name of the tz database, such as Europe/Berlin or UTC."
        raise TenantRequestRefused(400, "not_one_of", "time_zone", detail)


def _changed_channels(current: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return event → channel after the changes; None removes the choice of an event."""
    for event, channel in changes.items():
        path = f"notifications.{event}"
        if event not in EVENTS:
            detail = f"“{event}” is no event. There are {', '.join(EVENTS)}."
            raise TenantRequestRefused(400, "unknown_field", path, detail)
        if channel is not None and channel not in EVENTS[event].channels:
            detail = f"“{channel}” is no choice for {event}. Choose {' or '.join(EVENTS[event].channels)}."
            raise TenantRequestRefused(400, "not_one_of", path, detail)
    return {event: channel for event, channel in {**current, **changes}.items() if channel is not None}
