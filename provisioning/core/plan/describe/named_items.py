"""Things with a name that are one line each: what comes, goes and differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def describe_named_items(noun: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """``before``, ``after``: name → what it is."""
    yield from (f"- {noun} {name}: {text}" for name, text in before.items() if name not in after)
    yield from (f"+ {noun} {name}: {text}" for name, text in after.items() if name not in before)
    for name, text in after.items():
        if name in before and before[name] != text:
            new, old = _differing_parts(text, before[name])
            yield f"~ {noun} {name}: {new} (before: {old})"


def _differing_parts(one: str, other: str) -> tuple[str, str]:
    """Of two texts with as many parts, those that differ."""
    parts = list(zip(one.split(", "), other.split(", "), strict=False))
    if one.count(", ") != other.count(", "):
        return one, other
    differ = [pair for pair in parts if pair[0] != pair[1]]
    return ", ".join(new for new, _ in differ), ", ".join(old for _, old in differ)
