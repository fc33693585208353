"""Template tags of plans and runs: duration of a step, remedy for a failure, mark of an action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.pages.remedies import remedy as remedy_of
from portal.pages.state_styles import StateStyle
from portal.templatetags.causeway import icon

register = template.Library()

ACTION_STYLES = {
    "create": StateStyle("ok", icon="plus", word="create"),
    "change": StateStyle("warn", icon="pencil", word="change"),
    "replace": StateStyle("info", icon="replace", word="replace"),
    "remove": StateStyle("bad", icon="minus", word="remove"),
}


@register.simple_tag
def operation(action: str) -> SafeString:
    """Render the mark of a step's action; the page shows the word beside it."""
    shown = ACTION_STYLES[action]
    return format_html('<span class="cw-op is-{}">{}</span>', shown.tone, icon(shown.icon))


# The text color of a step's action; a replacement has its own because it is more than a change.
ACTION_COLORS = {"create": "cw-add", "change": "cw-chg", "remove": "cw-del"}


@register.filter
def action_color(action: str) -> str:
    return ACTION_COLORS.get(action, "pl-rep")


@register.filter
def counts_text(counts: Iterable[tuple[str, int]]) -> str:
    """Counts by state in words: `[("done", 3), ("failed", 1)]` is "3 done, 1 failed"."""
    return ", ".join(f"{count} {state}" for state, count in counts)


@register.filter
def seconds_to(start: datetime | None, end: datetime | None) -> str:
    """Return the time from start to end, or until now: 48 s, 1 min 20 s; "" before the start."""
    if start is None:
        return ""
    seconds = round(((end or timezone.now()) - start).total_seconds())
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60} s"


@register.filter
def remedy(error: Mapping[str, Any]) -> str:
    return remedy_of(str(error.get("code") or ""), str(error.get("call") or ""))
