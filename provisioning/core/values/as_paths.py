"""Regular expressions over AS paths, as routers read them (POSIX, and ``_`` is where a number begins or ends).

People write them and every route is held to them, so they are run as an automaton, in steps that grow with pattern
times path; Python's own engine takes hours for some patterns of twenty characters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

ALPHABET = "0123456789 "
SYNTAX_HELP = "digits, blanks, . [ ] ( ) | * + ? ^ $ and _"

_PATH_START, _PATH_END = "begin", "end"
_State = tuple[frozenset[str] | str | None, tuple[int, ...]]
"""What it takes (characters, a place in the path, or None: nothing), and where that leads."""


class BadAsPathPattern(ValueError):
    """Says what is wrong with a pattern."""


class AsPathPattern:
    """A pattern, ready to be asked. Raises BadPattern."""

    def __init__(self, text: str) -> None:
        self._text, self._position = text, 0
        self._states: list[_State] = [(None, ())]
        self._start = self._parse_alternation()(0)
        if self._position < len(text):
            raise BadAsPathPattern("a ) has no ( before it")

    def matches(self, path: str) -> bool:
        """Whether it matches anywhere in the path."""
        here: set[int] = set()
        for place in range(len(path) + 1):
            here = self._epsilon_closure({*here, self._start}, place == 0, place == len(path))
            if 0 in here:
                return True
            here = {
                step
                for one in here
                if isinstance(takes := self._states[one][0], frozenset) and path[place : place + 1] in takes
                for step in self._states[one][1]
            }
        return False

    def _epsilon_closure(self, steps: set[int], begin: bool, end: bool) -> set[int]:
        """These and all that they lead to without taking a character."""
        found, left = set(steps), list(steps)
        while left:
            takes, leads = self._states[left.pop()]
            if takes is None or (takes == _PATH_START and begin) or (takes == _PATH_END and end):
                left += (new := set(leads) - found)
                found |= new
        return found

    # Reading: each part gives a function from the step after it to its own first step.

    def _parse_alternation(self) -> Callable[[int], int]:
        ways = [self._parse_concatenation()]
        while self._accept("|"):
            ways.append(self._parse_concatenation())
        return lambda after: self._add_state(None, *(way(after) for way in ways))

    def _parse_concatenation(self) -> Callable[[int], int]:
        parts: list[Callable[[int], int]] = []
        while self._position < len(self._text) and self._text[self._position] not in "|)":
            parts.append(self._parse_repetition(self._parse_atom()))

        def made(after: int) -> int:
            for part in reversed(parts):
                after = part(after)
            return after

        return made

    def _parse_repetition(self, part: Callable[[int], int]) -> Callable[[int], int]:
        least = most = 1
        while self._position < len(self._text) and (sign := self._text[self._position]) in "*+?":
            self._position += 1
            least, most = min(least, sign == "+"), max(most, 1 if sign == "?" else 2)
        if (least, most) == (1, 1):
            return part
        if most == 1:
            return lambda after: self._add_state(None, part(after), after)

        def made(after: int) -> int:
            again = self._add_state(None)
            first = part(again)
            self._states[again] = (None, (first, after))
            return first if least else again

        return made

    def _parse_atom(self) -> Callable[[int], int]:
        sign = self._text[self._position]
        self._position += 1
        if sign == "(":
            inner = self._parse_alternation()
            if not self._accept(")"):
                raise BadAsPathPattern("a ( has no ) behind it")
            return inner
        if sign == "^" or sign == "$":
            place = _PATH_START if sign == "^" else _PATH_END
            return lambda after: self._add_state(place, after)
        if sign == "_":
            return lambda after: self._add_state(
                None,
                self._add_state(_PATH_START, after),
                self._add_state(_PATH_END, after),
                self._add_state(frozenset(" "), after),
            )
        takes = self._parse_character_class() if sign == "[" else frozenset(ALPHABET if sign == "." else sign)
        if sign in "*+?":
            raise BadAsPathPattern(f"there is nothing before {sign} to repeat")
        if not takes <= set(ALPHABET) and sign != "[":
            raise BadAsPathPattern(f"it holds “{sign}”; write {SYNTAX_HELP}")
        return lambda after: self._add_state(takes, after)

    def _parse_character_class(self) -> frozenset[str]:
        inner, bracket, _ = self._text[self._position :].partition("]")
        self._position += len(inner) + 1
        others = inner.startswith("^")
        given, found = inner.removeprefix("^"), set[str]()
        place = 0
        while place < len(given):
            first = last = given[place]
            if given[place + 1 : place + 2] == "-" and place + 2 < len(given):
                last, place = given[place + 2], place + 2
            place += 1
            if not (first in ALPHABET and last in ALPHABET and first <= last):
                raise BadAsPathPattern(f"[{inner}] is no set of digits, like [0-9]")
            found |= {sign for sign in ALPHABET if first <= sign <= last}
        if not bracket or not given:
            raise BadAsPathPattern("a [ has no ] behind it" if not bracket else f"[{inner}] is empty")
        return frozenset(ALPHABET) - found if others else frozenset(found)

    def _accept(self, sign: str) -> bool:
        there = self._text[self._position : self._position + 1] == sign
        self._position += there
        return there

    def _add_state(self, takes: frozenset[str] | str | None, *leads: int) -> int:
        self._states.append((takes, leads))
        return len(self._states) - 1


@lru_cache(1000)
def compile_as_path(text: str) -> AsPathPattern:
    """The pattern of a text, kept. Raises BadPattern."""
    return AsPathPattern(text)
