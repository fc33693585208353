"""A screen reader lists landmarks by role and name: no template gives two of them the same."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "templates"
ROLES = {"section": "region", "aside": "complementary", "nav": "navigation"}


def landmarks(text: str) -> Counter[tuple[str, str]]:
    """Return (role, name) of every named landmark."""
    found: Counter[tuple[str, str]] = Counter()
    for tag, attributes in re.findall(r"<(section|aside|nav|div|form)\b([^>]*)>", text):
        role = re.search(r'\brole="(\w+)"', attributes)
        name = re.search(r'\baria-label="([^"]+)"', attributes)
        if name and (role or tag in ROLES):
            found[role[1] if role else ROLES[tag], name[1]] += 1
    return found


@pytest.mark.parametrize("path", [str(path.relative_to(TEMPLATES)) for path in sorted(TEMPLATES.rglob("*.html"))])
def test_landmarks_of_a_template_differ_in_role_or_name(path: str) -> None:
    twice = [landmark for landmark, times in landmarks((TEMPLATES / path).read_text()).items() if times > 1]
    assert twice == []
