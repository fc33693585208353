"""The words for kinds of objects in sentences: ``policy``, ``NAT rule``. Filled by ``kinds.register_kind``."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {}
"""Kind → one of it, many of it."""


def kind_word(kind: str) -> str:
    return WORDS[kind][0] if kind in WORDS else kind


def kind_plural(kind: str) -> str:
    return WORDS[kind][1] if kind in WORDS else kind


def capitalise(word: str) -> str:
    """Return the word with a capital first letter; ``NAT rule`` stays as it is."""
    return word[:1].upper() + word[1:]


def with_article(word: str) -> str:
    # “NAT” is spelled out: an N-A-T rule.
    return f"an {word}" if word[0] in "aeiou" or word.startswith("NAT") else f"a {word}"
