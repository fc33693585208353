"""Who is acting: set by middleware and jobs, read by the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """A person by e-mail address, or a process by name.

    acting_as: slug of the MSP in whose name they act. rights: theirs in the tenant (roles.py); None: a process of ours,
    which may do everything.
    """

    email: str
    acting_as: str = ""
    address: str = ""
    request_id: str = ""
    rights: frozenset[str] | None = None

    def has_right(self, right: str) -> bool:
        return self.rights is None or right in self.rights


SYSTEM = Actor("system")
_current: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


def current_actor() -> Actor:
    return _current.get()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    token = _current.set(actor)
    try:
        yield
    finally:
        _current.reset(token)
