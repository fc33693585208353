"""Reading JSON bodies field by field, collecting every problem, so that a person sees them all at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from provisioning.core.intent.kind_words import WORDS, kind_word, with_article
from provisioning.core.intent.limits import LIST_ITEMS, PORTS, PREFIXES, PROTOCOLS, REFERENCES, Limit
from provisioning.core.intent.old_names import RenamedFrom
from provisioning.core.values.address_forms import (
    LOOKS_LIKE_ADDRESS,
    BadAddress,
    MistypedAddress,
    canonical_addresses,
    canonical_prefix,
)
from provisioning.core.values.labels import BadLabel, check_label, is_selector, parse_selector
from provisioning.core.values.protocols import PORT_PROTOCOLS, PROTOCOL_NUMBERS
from provisioning.core.values.resource import Problem
from provisioning.core.values.text import normalise_text, text_fault

ResolveReference = Callable[[str, str], str | None]
"""(kind, name or id) → uid, or None when there is no such item."""

ReadPortName = Callable[[str, str], str | Sequence[tuple[int, int]]]
"""(path, name among ports) → what is stored for it, or the ports that it stands for; none where it is unknown."""

REQUIRED: Any = object()
MAX_TEXT = 200
"""Characters of a text that has no limit of its own."""
_PROTOCOL_NAMES = {number: name for name, number in PROTOCOL_NUMBERS.items()}
_DOMAIN_NAME = re.compile(r"[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)+\.?")
_NUMBER = r"(?:0|[1-9][0-9]{0,4})"
_PORT_RANGE = re.compile(rf"\s*({_NUMBER})(?:\s*-\s*({_NUMBER}))?\s*")


class InvalidIntent(Exception):
    """A body that cannot be taken; ``problems`` says everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class FieldReader:
    """One JSON object being read. Every ``read`` names a field; fields nobody asked for are problems at ``finish``."""

    def __init__(
        self, body: Mapping[str, Any], resolve: ResolveReference, path: str = "", problems: list[Problem] | None = None
    ):
        self.body, self.resolve, self.path = body, resolve, path
        self.problems: list[Problem] = [] if problems is None else problems
        self._known_fields: set[str] = set()

    def problem(self, code: str, field: str, message: str) -> None:
        self.problems.append(Problem(code, f"{self.path}{field}", message))

    def has_problem(self, field: str) -> bool:
        return any(problem.path.startswith(f"{self.path}{field}") for problem in self.problems)

    def get(self, field: str, default: Any) -> Any:
        """The raw value; null counts as left out."""
        self._known_fields.add(field)
        value = self.body.get(field)
        if value is not None:
            return value
        if default is REQUIRED:
            self.problem("required", field, f"“{field}” is missing.")
            return None
        return default

    def translate_old_names(self, renamed_fields: Iterable[tuple[str, RenamedFrom]]) -> None:
        """Read the body by today's names; report old names that could not be translated."""
        body = self.body = dict(self.body)
        for name, renamed in renamed_fields:
            renamed.translate(name, body)
            value = self.get(renamed.name, None)
            if value is not None and (renamed.listed or (isinstance(value, str) and value in renamed.words)):
                message = f"“{renamed.name}” is the old name of “{name}” and says something else. Leave it out."
                self.problem("contradictory", renamed.name, message)
            elif value is not None:
                self.problem("not_one_of", renamed.name, f"“{value}” is not one of {', '.join(renamed.words)}.")

    def reject_unknown_fields(self) -> None:
        if self.body.keys() <= self._known_fields:
            return
        for field in self.body:
            if field not in self._known_fields:
                self.problem("unknown_field", str(field), f"There is no field “{field}” here.")

    def _read_typed(self, field: str, default: Any, kind: type | tuple[type, ...], expected: str) -> Any:
        value = self.get(field, default)
        if value is None or value is default:
            return value
        if isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool):
            return value
        self.problem("wrong_type", field, f"“{field}” has to be {expected}.")
        return None if default is REQUIRED else default

    def text(self, field: str, default: Any = REQUIRED, most: int = MAX_TEXT, lines: bool = False) -> Any:
        value = self._read_typed(field, default, str, "a text")
        if isinstance(value, str):
            value = self._read_text(field, value, most, lines)
            if not value and default is REQUIRED:
                self.problem("required", field, f"“{field}” is empty.")
        return value

    def _read_text(self, path: str, text: str, most: int = MAX_TEXT, lines: bool = False) -> str:
        """Return the text as it is stored; problems where it is too long or holds what it may not."""
        text = normalise_text(text)
        if len(text) > most:
            self.problem("out_of_range", path, f"“{path}” is longer than {most} characters.")
        if fault := text_fault(text, lines=lines):
            self.problem("wrong_type", path, f"“{path}” holds {fault}. Leave that out.")
        return text

    def choice(self, field: str, options: Collection[str], default: Any = REQUIRED) -> Any:
        value = self.text(field, default)
        if value is not None and value not in options:
            self.problem("not_one_of", field, f"“{value}” is not one of {', '.join(options)}.")
        return value

    def integer(self, field: str, low: int, high: int, default: Any = REQUIRED) -> Any:
        value = self._read_typed(field, default, int, "a whole number")
        if isinstance(value, int) and not low <= value <= high:
            self.problem("out_of_range", field, f"“{field}” is {value}; it has to be from {low} to {high}.")
        return value

    def boolean(self, field: str, default: bool) -> bool:
        return bool(self._read_typed(field, default, bool, "true or false"))

    def check_limit(self, field: str, count: int, limit: Limit) -> None:
        """Complains when there are more than there may be."""
        if count > limit.most:
            self.problem(limit.code, field, limit.message(count))

    def list_items(self, field: str, default: Any, limit: Limit) -> list[tuple[str, Any]]:
        """Where each of the list stands; of one that is too long only as many as there may be."""
        value = self._read_typed(field, default, list, "a list") or ()
        self.check_limit(field, len(value), limit)
        return [(f"{field}[{index}]", item) for index, item in enumerate(value[: limit.most])]

    def texts(self, field: str, default: Any = (), limit: Limit = LIST_ITEMS) -> list[str]:
        texts = []
        for path, item in self.list_items(field, default, limit):
            if isinstance(item, str) and item.strip():
                texts.append(self._read_text(path, item))
            else:
                self.problem("wrong_type", path, "A text was expected here.")
        return texts

    def labels(self, field: str, limit: Limit) -> dict[str, str]:
        value = self._read_typed(field, {}, dict, "an object of labels, each a key with a text") or {}
        self.check_limit(field, len(value), limit)
        labels = {}
        for key, label in value.items():
            if not isinstance(label, str):
                self.problem("wrong_type", f"{field}.{key}", f"The label “{key}” has to be a text. Put it in quotes.")
                continue
            try:
                check_label(key, label)
            except BadLabel as error:
                self.problem("bad_label", f"{field}.{key}", str(error))
            labels[key] = label
        return dict(sorted(labels.items()))

    # References

    def _resolve_reference(self, path: str, value: Any, kinds: Sequence[str], literals: Sequence[str]) -> str | None:
        if not isinstance(value, str):
            self.problem("wrong_type", path, "A name or an id was expected here.")
            return None
        value = normalise_text(value)
        if value in literals:
            return value
        uids = {kind: uid for kind in kinds if (uid := self.resolve(kind, value))}
        if len(set(uids.values())) == 1:
            return next(iter(uids.values()))
        if uids:
            both = " and ".join(with_article(kind_word(kind)) for kind in uids)
            ways = " or ".join(f"{kind}/{value}" for kind in uids)
            self.problem("ambiguous_reference", path, f"There is {both} “{value}”. Write {ways}.")
            return None
        kind, _, name = value.partition("/")
        if kind in kinds and (uid := self.resolve(kind, name)):
            return uid
        self.problem("unknown_reference", path, self._explain_unknown(value, kinds))
        return None

    def _explain_unknown(self, value: str, kinds: Sequence[str]) -> str:
        """Return what is wrong with a name that is none of these kinds: what it is instead, if anything."""
        expected = " or ".join(map(kind_word, kinds))
        other = next((kind for kind in WORDS if self.resolve(kind, value)), None)
        if other is not None:
            return f"“{value}” is {with_article(kind_word(other))}, and {with_article(expected)} is meant here."
        if kinds == ("prefix-lists",) and _DOMAIN_NAME.fullmatch(value):
            return f"“{value}” is a domain name, and rules match addresses. Write its prefixes, or name a prefix list."
        return f"There is no {expected} “{value}”."

    def reference(self, field: str, *kinds: str, literals: Sequence[str] = (), default: Any = REQUIRED) -> str | None:
        value = self.get(field, default)
        return None if value is None else self._resolve_reference(field, value, kinds, literals)

    def flow_end(self, field: str, *kinds: str, literals: Sequence[str], default: Any = REQUIRED) -> str | None:
        """An object or a word as in ``reference``, a prefix, or a selector over labels; a name goes before these."""
        value = self.get(field, default)
        if not isinstance(value, str):
            return self.reference(field, *kinds, literals=literals, default=default)
        text = normalise_text(value)
        if text not in literals and not any(self.resolve(kind, text) for kind in kinds):
            try:
                return canonical_prefix(text)
            except MistypedAddress as error:
                self.problem(error.code, field, str(error))
                return None
            except BadAddress:
                if is_selector(text):
                    return self.selector(field, text)
        return self._resolve_reference(field, text, kinds, literals)

    def selector(self, field: str, text: str) -> str | None:
        """A selector over labels, in its one spelling."""
        try:
            return str(parse_selector(text))
        except BadLabel as error:
            self.problem("bad_selector", field, str(error))
            return None

    def references(self, field: str, *kinds: str, literals: Sequence[str] = (), default: Any = REQUIRED) -> list[str]:
        items = self.list_items(field, default, REFERENCES)
        if default is REQUIRED and not items and isinstance(self.body.get(field), list):
            self.problem("required", field, f"“{field}” is empty. Name at least one.")
        uids = [uid for path, item in items if (uid := self._resolve_reference(path, item, kinds, literals))]
        return list(dict.fromkeys(uids))

    # Field terms

    def prefix(self, field: str) -> str | None:
        value = self.text(field)
        return self.address(field, value, canonical_prefix) if isinstance(value, str) else None

    def address(self, path: str, text: str, canonical: Callable[[str], str]) -> str | None:
        """The text as a function of ``values.address_forms`` spells it."""
        try:
            return canonical(text)
        except BadAddress as error:
            self.problem(error.code, path, str(error))
            return None

    def prefixes(self, field: str, default: Any = (), limit: Limit = PREFIXES) -> list[str]:
        """Prefixes in their one spelling."""
        prefixes: list[str | None] = []
        for path, item in self.list_items(field, default, limit):
            if isinstance(item, str):
                prefixes.append(self.address(path, item, canonical_prefix))
            else:
                self.problem("wrong_type", path, "A prefix was expected here.")
        return list(dict.fromkeys(prefix for prefix in prefixes if prefix))

    def addresses(self, field: str, literals: Sequence[str], ranges: bool, limit: Limit = PREFIXES) -> list[str]:
        """What rules match addresses with: words in ``literals``, prefixes, and prefix lists by uid.

        With ``ranges`` also ranges, and ``!`` before anything that is left out.
        """
        names: list[str | None] = []
        for path, item in self.list_items(field, list(literals), limit):
            if item in literals:
                names.append(item)
            elif not isinstance(item, str):
                self.problem("wrong_type", path, "A prefix or the name of a prefix list was expected here.")
            else:
                names.append(self._address_name(path, item.strip(), ranges))
        return list(dict.fromkeys(name for name in names if name))

    def _address_name(self, path: str, text: str, ranges: bool) -> str | None:
        sign, plain = ("!", text[1:].strip()) if text[:1] == "!" and ranges else ("", text)
        if not plain or LOOKS_LIKE_ADDRESS.fullmatch(plain):
            return self.address(path, text, canonical_addresses if ranges else canonical_prefix)
        uid = self._resolve_reference(path, plain, ("prefix-lists",), ())
        return f"{sign}{uid}" if uid else None

    def protocol(self, field: str, default: str = "any") -> str | int:
        """``any``, a name, or a number that has no name here."""
        value = self.get(field, default)
        if isinstance(value, str):
            value = value.strip().lower()
            if value in ("any", *PROTOCOL_NUMBERS):
                return value
            value = int(value) if re.fullmatch(_NUMBER, value) else value
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255:
            return _PROTOCOL_NAMES.get(value, value)
        self.problem(
            "bad_protocol",
            field,
            f"“{value}” is not a protocol. Use any, tcp, udp, icmp, icmpv6 or a number to 255.",
        )
        return "any"

    def protocols(self, field: str = "protocol") -> str | int | list[str | int]:
        """One protocol, or a list of several, sorted."""
        value = self.get(field, "any")
        if isinstance(value, str) and "," in value:
            value = [part for part in value.split(",") if part.strip()]
        if not isinstance(value, list):
            return self.protocol(field)
        if not value:
            self.problem("required", field, f"“{field}” is empty. Leave it out, or write any, for every protocol.")
        self.check_limit(field, len(value), PROTOCOLS)
        items = {f"{field}[{index}]": item for index, item in enumerate(value)}
        reader = FieldReader(items, self.resolve, self.path, self.problems)
        protocols = {reader.protocol(path) for path in items}
        if "any" in protocols or not protocols:
            return "any"
        listed = sorted(protocols, key=str)
        return listed if len(listed) > 1 else listed[0]

    def ports(
        self, protocols: Collection[str | int], field: str = "ports", read_name: ReadPortName | None = None
    ) -> list[str]:
        """Ports and port ranges, sorted and merged; empty where they are every port.

        With ``read_name`` also names: what it returns as a text stands behind them as it is.
        """
        spans: list[tuple[int, int]] = []
        names: dict[str, None] = {}
        is_every_port = False
        for path, item in self.list_items(field, (), PORTS):
            if item == "any":
                is_every_port = True
                continue
            number = isinstance(item, int) and not isinstance(item, bool)
            match = _PORT_RANGE.fullmatch(item if isinstance(item, str) else str(item) if number else "")
            low, high = (int(match[1]), int(match[2] or match[1])) if match else (-1, -1)
            # A uid may happen to have no letter.
            if read_name and isinstance(item, str) and (re.search("[a-zA-Z]", item) or item.count("-") > 3):
                named = read_name(path, normalise_text(item))
                names |= {named: None} if isinstance(named, str) else {}
                spans += named if not isinstance(named, str) else ()
            elif not 0 <= low <= high <= 65535:
                self.problem("bad_port", path, f"“{item}” is not a port. Use 0 to 65535, or a range like 8000-8100.")
            else:
                spans.append((low, high))
        if spans and not self.has_problem("protocol") and not all(protocol in PORT_PROTOCOLS for protocol in protocols):
            words = ", ".join(map(str, protocols))
            self.problem("bad_port", field, f"Ports need the protocol tcp or udp; this one is “{words}”.")
        merged: list[tuple[int, int]] = []
        for low, high in sorted(spans):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        if is_every_port or merged == [(0, 65535)]:
            return []
        return [*(str(low) if low == high else f"{low}-{high}" for low, high in merged), *sorted(names)]

    # Nested objects

    def objects(
        self,
        field: str,
        read: Callable[[FieldReader], dict[str, Any]],
        default: Any = (),
        least: int = 0,
        limit: Limit = LIST_ITEMS,
    ) -> list[dict[str, Any]]:
        items = self.list_items(field, default, limit)
        if len(items) < least and (default is not REQUIRED or isinstance(self.body.get(field), list)):
            self.problem("required", field, f"“{field}” needs at least {least}.")
        objects = []
        for path, item in items:
            if not isinstance(item, dict):
                self.problem("wrong_type", path, "An object was expected here.")
                continue
            objects.append(read(FieldReader(item, self.resolve, f"{self.path}{path}.", self.problems)))
        return objects

    def object(self, field: str, default: Any = REQUIRED) -> FieldReader | None:
        """The nested object to read from; the caller finishes it."""
        value = self._read_typed(field, default, dict, "an object")
        if value is None:
            return None
        return FieldReader(value, self.resolve, f"{self.path}{field}.", self.problems)

    def check_unique(self, field: str, names: Sequence[str]) -> None:
        """Report names in a list of objects that were there before."""
        seen: set[str] = set()
        for index, name in enumerate(names):
            if name in seen:
                self.problem("duplicate", f"{field}[{index}].name", f"“{name}” is used twice. Give each its own name.")
            seen.add(name)
