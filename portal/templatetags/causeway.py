"""Template tags of every page: icons, states, rates, money, times."""

from __future__ import annotations

import colorsys
import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from portal.pages import kind_styles
from portal.pages.state_styles import ACTIONS, state_style

register = template.Library()

CURRENCY_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF", "JPY": "¥"}


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """An icon of the sprite. Decoration only: the word next to it is what counts."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, static("build/icons.svg"), name
    )


@register.simple_tag
def state(value: str, word: str = "", quiet: bool = False) -> SafeString:
    """A state or a policy action: icon and word. `quiet` is for tables and lists."""
    shown = state_style(str(value))
    return format_html(
        '<span class="{} is-{}{}">{}{}</span>',
        "cw-act" if value in ACTIONS and not quiet else "cw-state",
        shown.tone,
        " is-quiet" if quiet else "",
        icon(shown.icon, "cw-spin" if shown.icon == "loader-2" else ""),
        word or shown.word,
    )


@register.simple_tag
def kind(value: str) -> SafeString:
    """The icon of a connector kind (or an exchange, a service) in its tile."""
    return format_html('<span class="cw-kind">{}</span>', icon(kind_styles.kind_style(value).icon))


@register.simple_block_tag
def blankslate(content: str, icon_name: str, title: str, url: str = "", action: str = "") -> SafeString:
    """What a page shows where a list has nothing yet. The block between the tags teaches what the list is for."""
    text = " ".join(content.split())
    context = {"icon": icon_name, "title": title, "text": mark_safe(text), "url": url, "action": action}
    return render_to_string("partials/empty.html", context)


@register.filter
def message_tone(level: str) -> str:
    """The tone of a toast for the level of a Django message."""
    return {"error": "bad", "warning": "warn", "success": "ok"}.get(level, "info")


@register.filter
def button_style(tags: str | None) -> str:
    """The class of a button that allauth describes by tags, such as "danger" or "link,cancel"."""
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
def rate(bits: float | int | None) -> str:
    """Bits per second as people say them: 212 Mb/s, 1.24 Gb/s."""
    if bits is None:
        return "–"
    for unit, size in (("Gb/s", 1e9), ("Mb/s", 1e6), ("kb/s", 1e3)):
        if bits >= size:
            value = bits / size
            return f"{value:.2f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    return f"{bits:.0f} b/s"


@register.filter
def money(amount: Decimal | None, currency: str = "") -> str:
    """Two places, thousands apart, a real minus; the sign of the currency where one is given."""
    if amount is None:
        return "–"
    text = f"{abs(amount):,.2f}"
    sign = f"{CURRENCY_SIGNS.get(currency, currency)} " if currency else ""
    return f"{'−' if amount < 0 else ''}{sign}{text}"


@register.filter
def money_change(amount: Decimal | None, currency: str = "") -> str:
    """A difference in money: as `money`, with a plus before what is added."""
    return f"+{money(amount, currency)}" if amount is not None and amount > 0 else money(amount, currency)


@register.filter
def sign(currency: str) -> str:
    return CURRENCY_SIGNS.get(currency, currency)


@register.filter
def quantity(amount: Decimal | None) -> str:
    return "–" if amount is None else f"{amount:,.2f}"


@register.filter
def price(amount: Decimal | None) -> str:
    """A unit price: at least two places, all that matter, no trailing noise."""
    if amount is None:
        return ""
    whole, _, places = f"{amount.normalize():,f}".partition(".")
    return f"{whole}.{places.ljust(2, '0')}"


@register.filter
def when(moment: datetime | None) -> SafeString | str:
    """A time with its full form at hand: 14:02:11 today, 23 Nov 14:02 this year, 23 Nov 2025 before."""
    if moment is None:
        return "–"
    now = timezone.now()
    if moment.date() == now.date():
        text = moment.strftime("%H:%M:%S")
    elif moment.year == now.year:
        text = f"{moment.day} {moment.strftime('%b %H:%M')}"
    else:
        text = f"{moment.day} {moment.strftime('%b %Y')}"
    return format_html(
        '<time class="nowrap" datetime="{}" title="{} UTC">{}</time>',
        moment.isoformat(), moment.strftime("%Y-%m-%d %H:%M:%S"), text,
    )  # fmt: skip


@register.filter
def initials(name: str) -> str:
    """Two letters of a name or address: acme-health is AH, netadmin@… is NE."""
    words = re.findall(r"[^\W_]+", name.partition("@")[0])
    if not words:
        return "?"
    return (words[0][0] + words[1][0] if len(words) > 1 else words[0][:2]).upper()


@register.filter
def hue(name: str) -> int:
    """One of eight muted hues, the same for a name everywhere and for ever."""
    return hashlib.sha256(name.encode()).digest()[0] % 8 + 1


# The angles (of 360) of the segment hues 1 to 7 of tokens.css; 8 is the grey one.
SEGMENT_HUE_ANGLES = (217, 329, 41, 169, 256, 15, 87)


@register.filter
def segment_hue(name: str, color: str | None) -> int:
    """The one of the eight muted hues that is nearest to the color a segment was given, else that of its name.

    Hues are muted so that no segment looks like a state, and a page may not carry styles of its own.
    """
    if not color:
        return hue(name)
    red, green, blue = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    if max(red, green, blue) - min(red, green, blue) < 0.15:
        return 8
    angle = colorsys.rgb_to_hls(red, green, blue)[0] * 360
    away = [min(abs(angle - one), 360 - abs(angle - one)) for one in SEGMENT_HUE_ANGLES]
    return away.index(min(away)) + 1


@register.filter
def pluck(items: Iterable[Any], key: int | str) -> list[Any]:
    """One part of each item: `pairs|pluck:0` takes the first of each pair, `objects|pluck:"name"` an attribute."""
    return [item[key] if isinstance(key, int) else getattr(item, key) for item in items]


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: object) -> str:
    """This page's address with some parameters changed; None or '' takes one out."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    return "?" + parameters.urlencode()
