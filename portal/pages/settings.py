"""Settings of a tenant, and of the person who is signed in. Their forms write through the API."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from billing.core.money import MINOR_DIGITS
from billing.selectors import price_book_of
from portal.api.etags import entity_tag
from portal.api.profile import me_json
from portal.api.settings import settings_json
from portal.pages.decorators import PageRequest, tenant_page
from tenants.models import TierOwner
from tenants.notifications import CHANNELS, EVENTS, channel_of
from tenants.preferences import time_zones
from tenants.roles import KEEPABLE_TIERS


@tenant_page("members")
def tenant_settings(request: PageRequest) -> HttpResponse:
    settings = settings_json(request.tenant)
    context = {
        "settings": settings,
        "etag": entity_tag(settings),
        "time_zones": time_zones(),
        "price_book": price_book_of(request.tenant),
        "currencies": MINOR_DIGITS,
        "events": [_event_row(name, settings["notifications"][name]) for name in EVENTS],
        "tiers": [_tier_row(request, tier) for tier in KEEPABLE_TIERS],
    }
    return render(request, "pages/settings.html", context)


@tenant_page()
def profile(request: PageRequest) -> HttpResponse:
    person = request.principal.user
    context = {
        "person": person,
        "etag": entity_tag(me_json(person, None)),
        "time_zones": time_zones(),
        "events": [
            _event_row(name, person.notifications.get(name), CHANNELS[channel_of(name, request.tenant)])
            for name in EVENTS
        ],
    }
    return render(request, "pages/profile.html", context)


def _tier_row(request: PageRequest, tier: str) -> dict[str, object]:
    owner = request.tenant.tier_owner(tier)
    return {
        "name": tier,
        "owner": owner,
        "owner_word": owner.label,
        "owners": [choice for choice in TierOwner.choices if choice[0] != TierOwner.MSP or request.tenant.msp],
        "may_change": tier in request.rights,
    }


def _event_row(name: str, chosen: str | None, by_default: str = "") -> dict[str, object]:
    event = EVENTS[name]
    return {
        "name": f"notifications.{name}",
        "event": event,
        "channels": [(channel, CHANNELS[channel]) for channel in event.channels],
        "chosen": chosen,
        "default": by_default,
    }
