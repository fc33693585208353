"""What to say of a name that is no end of a flow: what else has it, or which name is like it."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from provisioning.core.intent import Connector, InvalidIntent, kind_word
from provisioning.core.intent.kind_words import with_article
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem

MAX_NAME_LENGTH = 100
"""Longer texts are compared with no name; it would take time for nothing."""
SIMILAR_KINDS = ("connectors", "groups", "internet-apps", "services", "segments", "exchanges")
IS_MEMBER: dict[str, Callable[[Connector, str], bool]] = {
    "groups": lambda connector, uid: any(uid in attachment.member_of for attachment in connector.attachments),
    "segments": lambda connector, uid: any(attachment.segment == uid for attachment in connector.attachments),
    "exchanges": lambda connector, uid: connector.exchange == uid,
}


def unknown_end(network: Network, field: str, wanted: str, message: str) -> InvalidIntent:
    """Return the refusal of a name that is no end: what other object has it, else ``message`` and a
    similar name."""
    names = [wanted, *filter(None, [wanted.rpartition("@")[0]])]
    kind, item = next(
        ((kind, item) for name in names for kind in SIMILAR_KINDS if (item := network.find(kind, name))), ("", None)
    )
    if item is not None:
        advice = _member_advice(network, kind, item)
        what = with_article(kind_word(kind))
        message = f"“{item.name}” is {what}; a trace runs between two connectors or addresses. {advice}"
    else:
        message += _similar_name(network, wanted)
    return InvalidIntent([Problem("unknown_reference", field, message)])


def _similar_name(network: Network, wanted: str) -> str:
    """Return “ Did you mean group “ehr”?”; "" when no name is like ``wanted``."""
    names = {
        item.name.casefold(): (kind, item.name)
        for kind in reversed(SIMILAR_KINDS)
        for item in network.intent.of(kind).values()
    }
    similar = get_close_matches(wanted.casefold(), names, n=1) if len(wanted) <= MAX_NAME_LENGTH else []
    if not similar:
        return ""
    kind, name = names[similar[0]]
    return f" Did you mean {kind_word(kind)} “{name}”?"


def _member_advice(network: Network, kind: str, item: Any) -> str:
    if kind not in IS_MEMBER:
        return "Name a connector or an address."
    members = (
        connector.name for connector in network.intent.connectors.values() if IS_MEMBER[kind](connector, item.uid)
    )
    example = min(members, default="")
    return f"Name one of its connectors, such as “{example}”." if example else "It has no connector; name another one."
