"""Fields that had another name once: the old name and its words are still read, never written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioning.core.intent.kinds import KINDS, kind_of


def old_field_names(kind: str) -> list[str]:
    return [renamed.name for _, renamed in kind_of(kind).renamed_fields]


def translate_old_fields(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body by today's names, as far as its own fields go."""
    translated = dict(body)
    for name, renamed in kind_of(kind).renamed_fields if kind in KINDS else ():
        renamed.translate(name, translated)
    return translated


def translate_old_filters(kind: str, filters: Mapping[str, str]) -> dict[str, str]:
    """Return the filters by today's names and words; a filter by both names keeps today's."""
    translated = dict(filters)
    for name, renamed in kind_of(kind).renamed_fields:
        if renamed.name in translated:
            value = translated.pop(renamed.name)
            translated.setdefault(name, renamed.words.get(value, value))
    return translated
