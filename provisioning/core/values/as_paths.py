"""Regular expressions over AS paths as routers read them: POSIX syntax; ``_`` matches where a number begins or ends.

People write the patterns and every route is tested against them, so they must not take exponential time, as Python's
backtracking engine does for some patterns of twenty characters. They run as a nondeterministic automaton, all states in
step, in time proportional to pattern times path: Thompson's construction, as in Russ Cox, "Regular Expression Matching
Can Be Simple And Fast" (2007, https://swtch.com/~rsc/regexp/regexp1.html).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

ALPHABET = "0123456789 "
SYNTAX_HELP = "digits, blanks, . [ ] ( ) | * + ? ^ $ and _"

_PATH_START, _PATH_END = "begin", "end"
_State = tuple[frozenset[str] | str | None, tuple[int, ...]]
"""What a state takes (one of some characters, the begin or end of the path, or None: nothing), and the next states."""


class BadAsPathPattern(ValueError):
    """A pattern that cannot be read; the text says why."""


class AsPathPattern:
    """A compiled pattern; state 0 accepts. Raise BadAsPathPattern when the text is no pattern."""

    def __init__(self, text: str) -> None:
        self._text, self._position = text, 0
        self._states: list[_State] = [(None, ())]
        self._start = self._parse_alternation()(0)
        if self._position < len(text):
            raise BadAsPathPattern("a ) has no ( before it")

    def matches(self, path: str) -> bool:
        """Whether it matches anywhere in the path (AS numbers with single blanks between)."""
        active: set[int] = set()
        for index in range(len(path) + 1):
            active = self._epsilon_closure({*active, self._start}, index == 0, index == len(path))
            if 0 in active:
                return True
            active = {
                following
                for state in active
                if isinstance(takes := self._states[state][0], frozenset) and path[index : index + 1] in takes
                for following in self._states[state][1]
            }
        return False

    def _epsilon_closure(self, states: set[int], begin: bool, end: bool) -> set[int]:
        """These states and all that follow them without taking a character."""
        closure, pending = set(states), list(states)
        while pending:
            takes, following = self._states[pending.pop()]
            if takes is None or (takes == _PATH_START and begin) or (takes == _PATH_END and end):
                pending += (new := set(following) - closure)
                closure |= new
        return closure

    # Parsing: each part gives a function from the state after it to its own first state.

    def _parse_alternation(self) -> Callable[[int], int]:
        branches = [self._parse_concatenation()]
        while self._accept("|"):
            branches.append(self._parse_concatenation())
        return lambda after: self._add_state(None, *(branch(after) for branch in branches))

    def _parse_concatenation(self) -> Callable[[int], int]:
        parts: list[Callable[[int], int]] = []
        while self._position < len(self._text) and self._text[self._position] not in "|)":
            parts.append(self._parse_repetition(self._parse_atom()))

        def build(after: int) -> int:
            for part in reversed(parts):
                after = part(after)
            return after

        return build

    def _parse_repetition(self, part: Callable[[int], int]) -> Callable[[int], int]:
        least = most = 1
        while self._position < len(self._text) and (sign := self._text[self._position]) in "*+?":
            self._position += 1
            least, most = min(least, sign == "+"), max(most, 1 if sign == "?" else 2)
        if (least, most) == (1, 1):
            return part
        if most == 1:
            return lambda after: self._add_state(None, part(after), after)

        def build(after: int) -> int:
            again = self._add_state(None)
            first = part(again)
            self._states[again] = (None, (first, after))
            return first if least else again

        return build

    def _parse_atom(self) -> Callable[[int], int]:
        sign = self._text[self._position]
        self._position += 1
        if sign == "(":
            inner = self._parse_alternation()
            if not self._accept(")"):
                raise BadAsPathPattern("a ( has no ) behind it")
            return inner
        if sign == "^" or sign == "$":
            edge = _PATH_START if sign == "^" else _PATH_END
            return lambda after: self._add_state(edge, after)
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
        is_negated = inner.startswith("^")
        text, characters = inner.removeprefix("^"), set[str]()
        index = 0
        while index < len(text):
            first = last = text[index]
            if text[index + 1 : index + 2] == "-" and index + 2 < len(text):
                last, index = text[index + 2], index + 2
            index += 1
            if not (first in ALPHABET and last in ALPHABET and first <= last):
                raise BadAsPathPattern(f"[{inner}] is no set of digits, like [0-9]")
            characters |= {character for character in ALPHABET if first <= character <= last}
        if not bracket or not text:
            raise BadAsPathPattern("a [ has no ] behind it" if not bracket else f"[{inner}] is empty")
        return frozenset(ALPHABET) - characters if is_negated else frozenset(characters)

    def _accept(self, sign: str) -> bool:
        is_next = self._text[self._position : self._position + 1] == sign
        self._position += is_next
        return is_next

    def _add_state(self, takes: frozenset[str] | str | None, *following: int) -> int:
        self._states.append((takes, following))
        return len(self._states) - 1


@lru_cache(1000)
def compile_as_path(text: str) -> AsPathPattern:
    """Return the pattern of a text, from a cache. Raise BadAsPathPattern when it is none."""
    return AsPathPattern(text)
