"""Resources, changes and problems: the values that compile, plan, drivers and agents pass to each other.

Desired and observed things share one type, so a plan is set arithmetic over addresses (octoDNS' idea).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

Body = Mapping[str, Any]
Action = Literal["create", "change", "replace", "remove"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a network: a stable code, where it is, and what to do about it."""

    code: str
    path: str
    message: str
    severity: Literal["error", "warning"] = "error"


MAX_PROBLEMS = 100
"""Problems in one answer; nobody reads more, and a bad CSV file can have one in each of its cells."""


def limit_problems(problems: Iterable[Problem]) -> list[Problem]:
    """Return the first problems with their texts truncated, and one more that counts the rest."""
    every = list(problems)
    first = [
        replace(problem, path=truncate(problem.path), message=truncate(problem.message))
        for problem in every[:MAX_PROBLEMS]
    ]
    if len(every) > MAX_PROBLEMS:
        message = f"There are {len(every) - MAX_PROBLEMS:,} more problems. Mend these first."
        first.append(Problem("more_problems", "", message))
    return first


def truncate(text: str, most: int = 2000) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that exists, or should, in a cloud account or on an exchange node.

    address: unique in a tenant and stable across renames; names and tags in the cloud follow from it.
    kind:    ``driver.noun``, for example ``aws.transit-gateway``.
    body:    JSON-able fields we control; a value may be ``{"ref": address, "attr": name}``, known once that exists.
    depends: addresses that must exist before this one; those named by references are included.
    subjects: uids of the intent objects that caused it.
    """

    address: str
    kind: str
    body: Body
    depends: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()

    @property
    def driver(self) -> str:
        return self.kind.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Change:
    """The step from one resource to another; ``before`` and ``after`` are None where there is nothing."""

    action: Action
    address: str
    kind: str
    before: Body | None
    after: Body | None
    depends: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()

    @property
    def driver(self) -> str:
        return self.kind.partition(".")[0]


def as_json(value: Any) -> Any:
    """Return the JSON value of a core value: dataclasses become objects (``from_`` becomes ``from``), tuples lists."""
    if is_dataclass(value):
        return {item.name.rstrip("_"): as_json(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {key: as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner) for inner in value]
    return value


_CANONICAL_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_json(value: Any) -> str:
    """Return the canonical JSON text of a value: sorted keys, no spaces."""
    return _CANONICAL_ENCODER.encode(value)


def content_digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON as hex: the digest that agents report and approvals name."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def body_references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield all (address, attribute) pairs that a body refers to."""
    if isinstance(value, Mapping):
        if set(value) == {"ref", "attr"}:
            yield value["ref"], value["attr"]
        else:
            for inner in value.values():
                yield from body_references(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from body_references(inner)


def resolve_change(change: Change, attributes: Mapping[str, Mapping[str, Any]]) -> Change:
    """Return the change with the references of both bodies replaced.

    What ``before`` refers to may be gone meanwhile, and is None then; for ``after`` raise KeyError.
    """
    after = resolve_references(change.after, attributes)
    if change.before is None:
        return replace(change, after=after)
    before = {}
    for name, value in change.before.items():
        try:
            before[name] = resolve_references(value, attributes)
        except KeyError:
            before[name] = None
    return replace(change, before=before, after=after)


def resolve_references(value: Any, attributes: Mapping[str, Mapping[str, Any]]) -> Any:
    """Return the value with every reference replaced. Raise KeyError with the address that is not known yet."""
    if isinstance(value, Mapping):
        if set(value) == {"ref", "attr"}:
            return attributes[value["ref"]][value["attr"]]
        return {key: resolve_references(inner, attributes) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [resolve_references(inner, attributes) for inner in value]
    return value
