"""Regular expressions over AS paths, as routers read them (POSIX, and ``_`` is where a number begins or ends).

People write them and every route is held to them, so they are run as an automaton, in steps that grow with pattern
times path; Python's own engine takes hours for some patterns of twenty characters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

PLAIN = "0123456789 "
WANTED = "digits, blanks, . [ ] ( ) | * + ? ^ $ and _"

_BEGIN, _END = "begin", "end"
_Step = tuple[frozenset[str] | str | None, tuple[int, ...]]
"""What it takes (characters, a place in the path, or None: nothing), and where that leads."""


class BadPattern(ValueError):
    """Says what is wrong with a pattern."""


class Pattern:
    """A pattern, ready to be asked. Raises BadPattern."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._steps: list[_Step] = [(None, ())]
        self._start = self._either()(0)
        if self._at < len(text):
            raise BadPattern("a ) has no ( before it")

    def found_in(self, path: str) -> bool:
        """Whether it matches anywhere in the path."""
        here: set[int] = set()
        for place in range(len(path) + 1):
            here = self._reached({*here, self._start}, place == 0, place == len(path))
            if 0 in here:
                return True
            here = {
                step
                for one in here
                if isinstance(takes := self._steps[one][0], frozenset) and path[place : place + 1] in takes
                for step in self._steps[one][1]
            }
        return False

    def _reached(self, steps: set[int], begin: bool, end: bool) -> set[int]:
        """These and all that they lead to without taking a character."""
        found, left = set(steps), list(steps)
        while left:
            takes, leads = self._steps[left.pop()]
            if takes is None or (takes == _BEGIN and begin) or (takes == _END and end):
                left += (new := set(leads) - found)
                found |= new
        return found

    # Reading: each part gives a function from the step after it to its own first step.

    def _either(self) -> Callable[[int], int]:
        ways = [self._row()]
        while self._next("|"):
            ways.append(self._row())
        return lambda after: self._step(None, *(way(after) for way in ways))

    def _row(self) -> Callable[[int], int]:
        parts: list[Callable[[int], int]] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts.append(self._repeated(self._one()))

        def made(after: int) -> int:
            for part in reversed(parts):
                after = part(after)
            return after

        return made

    def _repeated(self, part: Callable[[int], int]) -> Callable[[int], int]:
        least = most = 1
        while self._at < len(self._text) and (sign := self._text[self._at]) in "*+?":
            self._at += 1
            least, most = min(least, sign == "+"), max(most, 1 if sign == "?" else 2)
        if (least, most) == (1, 1):
            return part
        if most == 1:
            return lambda after: self._step(None, part(after), after)

        def made(after: int) -> int:
            again = self._step(None)
            first = part(again)
            self._steps[again] = (None, (first, after))
            return first if least else again

        return made

    def _one(self) -> Callable[[int], int]:
        sign = self._text[self._at]
        self._at += 1
        if sign == "(":
            inner = self._either()
            if not self._next(")"):
                raise BadPattern("a ( has no ) behind it")
            return inner
        if sign == "^" or sign == "$":
            place = _BEGIN if sign == "^" else _END
            return lambda after: self._step(place, after)
        if sign == "_":
            return lambda after: self._step(
                None, self._step(_BEGIN, after), self._step(_END, after), self._step(frozenset(" "), after)
            )
        takes = self._set() if sign == "[" else frozenset(PLAIN if sign == "." else sign)
        if sign in "*+?":
            raise BadPattern(f"there is nothing before {sign} to repeat")
        if not takes <= set(PLAIN) and sign != "[":
            raise BadPattern(f"it holds “{sign}”; write {WANTED}")
        return lambda after: self._step(takes, after)

    def _set(self) -> frozenset[str]:
        inner, bracket, _ = self._text[self._at :].partition("]")
        self._at += len(inner) + 1
        others = inner.startswith("^")
        given, found = inner.removeprefix("^"), set[str]()
        place = 0
        while place < len(given):
            first = last = given[place]
            if given[place + 1 : place + 2] == "-" and place + 2 < len(given):
                last, place = given[place + 2], place + 2
            place += 1
            if not (first in PLAIN and last in PLAIN and first <= last):
                raise BadPattern(f"[{inner}] is no set of digits, like [0-9]")
            found |= {sign for sign in PLAIN if first <= sign <= last}
        if not bracket or not given:
            raise BadPattern("a [ has no ] behind it" if not bracket else f"[{inner}] is empty")
        return frozenset(PLAIN) - found if others else frozenset(found)

    def _next(self, sign: str) -> bool:
        there = self._text[self._at : self._at + 1] == sign
        self._at += there
        return there

    def _step(self, takes: frozenset[str] | str | None, *leads: int) -> int:
        self._steps.append((takes, leads))
        return len(self._steps) - 1


@lru_cache(1000)
def pattern(text: str) -> Pattern:
    """The pattern of a text, kept. Raises BadPattern."""
    return Pattern(text)
