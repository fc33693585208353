"""Who is acting, set at the doors and read by the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """email of the person, or the name of the process; the MSP in whose name; where from; which request."""

    email: str
    acting_as: str = ""
    address: str = ""
    request_id: str = ""


SYSTEM = Actor("system")
_current: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


def current() -> Actor:
    return _current.get()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    token = _current.set(actor)
    try:
        yield
    finally:
        _current.reset(token)
