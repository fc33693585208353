"""Things with a name that are one line each: which of them are added, removed or changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def describe_named_items(noun: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each that differs; ``before``, ``after``: name → what it is."""
    yield from (f"- {noun} {name}: {text}" for name, text in before.items() if name not in after)
    yield from (f"+ {noun} {name}: {text}" for name, text in after.items() if name not in before)
    for name, text in after.items():
        if name in before and before[name] != text:
            new, old = _differing_parts(text, before[name])
            yield f"~ {noun} {name}: {new} (before: {old})"


def _differing_parts(new_text: str, old_text: str) -> tuple[str, str]:
    """Return the parts that differ of two texts with as many parts; else both as they are."""
    if new_text.count(", ") != old_text.count(", "):
        return new_text, old_text
    parts = zip(new_text.split(", "), old_text.split(", "), strict=True)
    differ = [pair for pair in parts if pair[0] != pair[1]]
    return ", ".join(new for new, _ in differ), ", ".join(old for _, old in differ)
