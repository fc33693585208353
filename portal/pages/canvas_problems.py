"""The line of problems at the foot of the canvas: those of this draft first, then those its base has as well. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from provisioning.core.values.resource import Problem


@dataclass(frozen=True, slots=True)
class DraftProblems:
    """``new``: problems that only the draft has; ``inherited``: those of its base as well; ``failing``: assertions."""

    new: tuple[Problem, ...]
    inherited: tuple[Problem, ...]
    failing: int

    @property
    def errors(self) -> int:
        """How many errors there are besides failing assertions."""
        return self._count("error") - self.failing

    @property
    def warnings(self) -> int:
        return self._count("warning")

    @property
    def summary(self) -> str:
        """The collapsed line: ``2 problems to fix, 1 warning``."""
        counts = ((self._count("error"), "problem", " to fix"), (self.warnings, "warning", ""))
        return ", ".join(f"{count} {word}{'' if count == 1 else 's'}{rest}" for count, word, rest in counts if count)

    def _count(self, severity: str) -> int:
        return sum(problem.severity == severity for problem in (*self.new, *self.inherited))


def split_problems(
    failing: Sequence[Problem], problems: Sequence[Problem], base_problems: Collection[Problem]
) -> DraftProblems:
    """Return the failing assertions and the problems of a draft, apart from those that its base has as well."""
    known = set(base_problems)
    every = (*failing, *problems)
    return DraftProblems(
        new=tuple(problem for problem in every if problem not in known),
        inherited=tuple(problem for problem in every if problem in known),
        failing=len(failing),
    )
