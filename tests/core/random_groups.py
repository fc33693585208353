"""Random groups for generated networks: members by name, by label, and through groups in groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

LABELS = {"env": ("prod", "test"), "tier": ("web", "app", "db")}
SELECTORS = (
    None, "env=prod", "env=prod, tier in (web, db)", "tier notin (web, app), env", "!tier", "env!=prod", "tier=app",
)  # fmt: skip


@st.composite
def labels(draw: st.DrawFn) -> dict[str, str]:
    return {key: draw(st.sampled_from(values)) for key, values in LABELS.items() if draw(st.integers(0, 2))}


@st.composite
def group_fields(draw: st.DrawFn, earlier: Sequence[str]) -> dict[str, Any]:
    """Draw what a group holds besides those that name it; ``earlier``: groups that it may contain."""
    inner = draw(st.lists(st.sampled_from(tuple(earlier)), max_size=1)) if earlier else []
    return {"selector": draw(st.sampled_from((None, *SELECTORS))), "contains": inner}


@st.composite
def attachment_groups(draw: st.DrawFn, groups: Sequence[str]) -> dict[str, Any]:
    """Draw the groups that an attachment names, and its labels."""
    named = draw(st.lists(st.sampled_from(tuple(groups)), max_size=2, unique=True))
    return {"groups": sorted(named), "labels": draw(labels())}
