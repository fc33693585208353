"""Template tags of every page: icons, states, rates, money, times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import copy
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from portal.pages import kind_styles
from portal.pages.number_formats import CURRENCY_SIGNS, money, rate
from portal.pages.segment_hues import hue, segment_hue
from portal.pages.state_styles import ACTIONS, state_style

register = template.Library()

register.filter("rate", rate)
register.filter("money", money)
register.filter("hue", hue)
register.filter("segment_hue", segment_hue)


@register.simple_tag
@lru_cache(maxsize=1000)
def icon(name: str, classes: str = "") -> SafeString:
    """Render an icon of the sprite. It is decoration only: the word next to it says the same."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, static("build/icons.svg"), name
    )


@register.simple_tag
def state(value: str, word: str = "", quiet: bool = False) -> SafeString:
    """Render a state or a policy action as icon and word. ``quiet`` is for tables and lists."""
    shown = state_style(str(value))
    return format_html(
        '<span class="{} is-{}{}">{}{}</span>',
        "cw-action-tag" if value in ACTIONS and not quiet else "cw-state",
        shown.tone,
        " is-quiet" if quiet else "",
        icon(shown.icon, "cw-spin" if shown.icon == "loader-2" else ""),
        word or shown.word,
    )


@register.simple_tag
def kind(value: str) -> SafeString:
    """Render the icon of a connector kind (or an exchange, a service) in its tile."""
    return format_html('<span class="cw-kind">{}</span>', icon(kind_styles.kind_style(value).icon))


@register.simple_block_tag
def blankslate(
    content: str, icon_name: str, title: str, url: str = "", action: str = "", opens: str = ""
) -> SafeString:
    """Render what a page shows for an empty list. The block between the tags explains what the list is for; the action
    goes to ``url`` or opens the dialog whose id is ``opens``."""
    text = " ".join(content.split())
    context = {"icon": icon_name, "title": title, "text": mark_safe(text), "url": url, "action": action, "opens": opens}
    return render_to_string("partials/empty.html", context)


@register.filter
def message_tone(level: str) -> str:
    """Return the tone of a toast for the level of a Django message."""
    return {"error": "bad", "warning": "warn", "success": "ok"}.get(level, "info")


@register.filter
def button_style(tags: str | None) -> str:
    """Return the class of a button that allauth describes by tags, such as "danger" or "link,cancel"."""
    named = tags or ""
    if "danger" in named or "delete" in named:
        return "btn-danger-line"
    if "link" in named or "cancel" in named:
        return "btn-ghost"
    return "" if "outline" in named or "secondary" in named else "btn-primary"


@register.filter
def kind_word(value: str) -> str:
    return kind_styles.kind_style(value).word


@register.filter
def money_change(amount: Decimal | None, currency: str = "") -> str:
    """Return a difference in money: as ``money``, with a plus sign before what is added."""
    return f"+{money(amount, currency)}" if amount is not None and amount > 0 else money(amount, currency)


@register.filter
def sign(currency: str) -> str:
    return CURRENCY_SIGNS.get(currency, currency)


@register.filter
def quantity(amount: Decimal | None) -> str:
    return "–" if amount is None else f"{amount:,.2f}"


@register.filter
def grouped(number: int) -> str:
    return f"{number:,}"


@register.filter
def signed(number: int) -> str:
    """Return a whole number with its sign: ``+12``, ``−3``, ``0``."""
    return f"{'+' if number > 0 else '−' if number < 0 else ''}{abs(number):,}"


@register.filter
def price(amount: Decimal | None) -> str:
    """Return a unit price with at least two places and without trailing zeros after them."""
    if amount is None:
        return ""
    whole, _, places = f"{amount.normalize():,f}".partition(".")
    return f"{whole}.{places.ljust(2, '0')}"


@register.filter
def timestamp(moment: datetime | None) -> SafeString | str:
    """Render a time in the zone in force with its date: ``23 Nov, 14:02 UTC``, the year if it is another one.

    The title says it to the second.
    """
    if moment is None:
        return "–"
    here = timezone.localtime(moment)
    year = "" if here.year == timezone.localtime().year else f" {here.year}"
    return format_html(
        '<time class="nowrap" datetime="{}" title="{}">{} <span class="ink-3">{}</span></time>',
        moment.isoformat(), f"{here:%Y-%m-%d %H:%M:%S %Z}", f"{here.day} {here:%b}{year}, {here:%H:%M}", f"{here:%Z}",
    )  # fmt: skip


@register.filter
def initials(name: str) -> str:
    """Return two letters of a name or address: acme-health is AH, netadmin@… is NE."""
    words = re.findall(r"[^\W_]+", name.partition("@")[0])
    if not words:
        return "?"
    return (words[0][0] + words[1][0] if len(words) > 1 else words[0][:2]).upper()


@register.filter
def pluck(items: Iterable[Any], key: int | str) -> list[Any]:
    """Return one part of each item: ``pairs|pluck:0`` the first of each pair, ``objects|pluck:"name"`` an attribute."""
    return [item[key] if isinstance(key, int) else getattr(item, key) for item in items]


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: object) -> str:
    """Return this page's address with some parameters changed; None or "" removes one."""
    parameters = copy(context["request"].GET)
    for name, value in changes.items():
        if value in (None, ""):
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    return "?" + parameters.urlencode()
