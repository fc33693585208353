"""Labels (key → value) and the selectors over them, in the notation of Kubernetes' label selectors::

    env=prod, tier in (web, app), region!=eu, owner, !legacy

Every requirement has to hold. ``!=`` and ``notin`` also hold where the key is missing, as in Kubernetes
(https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

MAX_KEY, MAX_VALUE = 63, 100
MAX_SELECTOR = 500
_KEY = r"[A-Za-z0-9](?:[A-Za-z0-9_./-]{0,61}[A-Za-z0-9])?"
_VALUE = r"[A-Za-z0-9](?:[A-Za-z0-9_.:@/-]{0,98}[A-Za-z0-9])?"
_REQUIREMENT = re.compile(
    rf"(?P<not>!)?\s*(?P<key>{_KEY})"
    rf"(?:\s*(?P<operator>==|=|!=)\s*(?P<value>{_VALUE})?"
    rf"|\s+(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?",
)


class BadLabel(Exception):
    """A label or a selector that cannot be taken; says why and what to do."""


def check_label(key: str, value: str) -> None:
    """Raise BadLabel where a key or a value is not written like one."""
    if not re.fullmatch(_KEY, key):
        raise BadLabel(
            f"“{key}” is not the key of a label. Use at most {MAX_KEY} letters, digits and _ . / - with a letter or "
            "digit at both ends."
        )
    if value and not re.fullmatch(_VALUE, value):
        raise BadLabel(
            f"“{value}” is not the value of a label. Use at most {MAX_VALUE} letters, digits and _ . : @ / - with a "
            "letter or digit at both ends, or leave it empty."
        )


def format_labels(labels: Mapping[str, str]) -> str:
    """Return labels as ``parse_labels`` reads them."""
    return ", ".join(label_texts(labels))


def label_texts(labels: Mapping[str, str]) -> list[str]:
    """Return each label as it is written: ``env=prod``, and a key alone where its value is empty."""
    return [_format_label(key, value) for key, value in labels.items()]


def _format_label(key: str, value: str) -> str:
    return f"{key}={value}" if value else key


def parse_labels(text: str) -> dict[str, str]:
    """Return the labels of ``env=prod, tier=web``; a key alone has an empty value."""
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}


@dataclass(frozen=True, slots=True, order=True)
class LabelRequirement:
    """``values`` empty: the key alone counts. ``negated``: it holds where it would not."""

    key: str
    values: tuple[str, ...]
    negated: bool

    def holds(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        return (value is not None and (not self.values or value in self.values)) is not self.negated

    def __str__(self) -> str:
        if not self.values:
            return f"!{self.key}" if self.negated else self.key
        if len(self.values) == 1:
            return f"{self.key}{'!=' if self.negated else '='}{self.values[0]}"
        return f"{self.key} {'notin' if self.negated else 'in'} ({', '.join(self.values)})"


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Requirements that all have to hold; at least one."""

    requirements: tuple[LabelRequirement, ...]

    def selects(self, labels: Mapping[str, str]) -> bool:
        return all(requirement.holds(labels) for requirement in self.requirements)

    def met_by(self, labels: Mapping[str, str]) -> str:
        """Return the labels that make it select: ``env=prod, !legacy``."""
        met = (requirement for requirement in self.requirements if requirement.holds(labels))
        return ", ".join(str(each) if each.negated else _format_label(each.key, labels[each.key]) for each in met)

    def unmet_by(self, labels: Mapping[str, str]) -> str:
        """Return the labels that keep it from selecting: ``env=test, no tier``."""
        unmet = [requirement.key for requirement in self.requirements if not requirement.holds(labels)]
        return ", ".join(_format_label(key, labels[key]) if key in labels else f"no {key}" for key in unmet)

    def __str__(self) -> str:
        return ", ".join(map(str, self.requirements))


def is_selector(text: str) -> bool:
    """Whether a text that may be a name is a selector: it asks for values. Uids hold none of these signs."""
    return "=" in text or "(" in text


@lru_cache(maxsize=4096)
def parse_selector(text: str) -> LabelSelector:
    """Return the selector that a text says; its own text is the one spelling. Raises BadLabel."""
    if len(text) > MAX_SELECTOR:
        raise BadLabel(f"A selector has at most {MAX_SELECTOR} characters. Give what it selects a label of its own.")
    requirements = {_parse_requirement(part.strip()) for part in _split(text)}
    if not requirements:
        raise BadLabel("A selector has at least one requirement, like env=prod.")
    return LabelSelector(tuple(sorted(requirements)))


def _split(text: str) -> Iterator[str]:
    """Yield what commas outside of parentheses part."""
    depth = start = 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            yield text[start:index]
            start = index + 1
    if text[start:].strip() or start:
        yield text[start:]


def _parse_requirement(text: str) -> LabelRequirement:
    match = _REQUIREMENT.fullmatch(text)
    if match is None or (match["not"] and (match["operator"] or match["set"])):
        raise BadLabel(
            f"“{text}” is not a requirement. Write it like env=prod, env!=prod, env in (prod, test), "
            "env notin (prod, test), env or !env."
        )
    if match["set"]:
        values = tuple(sorted({value.strip() for value in match["values"].split(",")}))
        for value in values:
            if not re.fullmatch(_VALUE, value):
                raise BadLabel(f"“{value}” in “{text}” is not the value of a label.")
        return LabelRequirement(match["key"], values, match["set"] == "notin")
    if match["operator"]:
        return LabelRequirement(match["key"], (match["value"] or "",), match["operator"] == "!=")
    return LabelRequirement(match["key"], (), bool(match["not"]))
