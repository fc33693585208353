"""What normalising says of a body."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.intent import InvalidIntent, normalise_body


def same(kind: str, name: str) -> str:
    """Resolve every name to itself."""
    return name


def complaints(kind: str, body: Any, resolve: Any = same) -> dict[str, str]:
    """Return path → code of the problems for which the body is refused."""
    with pytest.raises(InvalidIntent) as caught:
        normalise_body(kind, body, resolve)
    return {problem.path: problem.code for problem in caught.value.problems}
