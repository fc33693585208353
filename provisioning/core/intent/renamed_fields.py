"""Fields that had another name once: the old name and its words are still read, never written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.core.values.resource import Problem


@dataclass(frozen=True, slots=True)
class RenamedField:
    """``words``: each old value → the new one."""

    old: str
    new: str
    words: Mapping[str, str]

    def problem(self, body: Mapping[str, Any]) -> Problem:
        """Return what is wrong with an old field that could not be translated."""
        value = body[self.old]
        if isinstance(value, str) and value in self.words:
            message = f"“{self.old}” is the old name of “{self.new}” and says something else. Leave “{self.old}” out."
            return Problem("contradictory", self.old, message)
        return Problem("not_one_of", self.old, f"“{value}” is not one of {', '.join(self.words)}.")


RENAMED_FIELDS: dict[str, tuple[RenamedField, ...]] = {
    "segments": (RenamedField("stance", "default_action", {"open": "allow", "closed": "deny"}),),
}


def translate_old_fields(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body with old names replaced. What cannot be translated stays; ``old_field_problems`` tells why."""
    translated = dict(body)
    for field in RENAMED_FIELDS.get(kind, ()):
        value = body.get(field.old)
        word = field.words.get(value) if isinstance(value, str) else None
        if value is None:
            translated.pop(field.old, None)
        elif word is not None and body.get(field.new) in (None, word):
            del translated[field.old]
            translated[field.new] = word
    return translated


def old_field_names(kind: str) -> list[str]:
    return [field.old for field in RENAMED_FIELDS.get(kind, ())]


def old_field_problems(kind: str, translated: Mapping[str, Any]) -> Iterator[Problem]:
    return (field.problem(translated) for field in RENAMED_FIELDS.get(kind, ()) if field.old in translated)


def translate_old_filters(kind: str, filters: Mapping[str, str]) -> dict[str, str]:
    """Return the filters by today's names and words; a filter by both names keeps today's."""
    translated = dict(filters)
    for field in RENAMED_FIELDS.get(kind, ()):
        if field.old in translated:
            value = translated.pop(field.old)
            translated.setdefault(field.new, field.words.get(value, value))
    return translated
