"""What a driver promises: two verbs, one error type, limits stated before the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from provisioning.core.values.resource import Body, Change


@dataclass(frozen=True, slots=True)
class CloudCredentials:
    """How to reach one cloud account; never logged. ``secret`` is what the vault holds, by field name."""

    account: str
    secret: Mapping[str, str] = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class DriverContext:
    """What a driver may know besides the change itself.

    tenant:      slug; part of every tag.
    attributes:  address → what is known of it (cloud ids) from earlier steps, for references.
    credentials: account id → Credentials; raises DriverError(permanent) when the account is gone.
    """

    tenant: str
    attributes: Mapping[str, Mapping[str, Any]]
    credentials: Callable[[str], CloudCredentials]


@dataclass(frozen=True, slots=True)
class Done:
    """The change holds. ``attributes`` are what later steps may refer to; ``body`` is what is there (None: gone)."""

    attributes: Mapping[str, Any]
    body: Body | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Accepted but not finished: call apply again with the same change after ``retry_after`` seconds."""

    retry_after: float
    note: str


@dataclass(frozen=True, slots=True)
class ObservedResource:
    """What a driver found at an address; ``body`` None when nothing of ours is there."""

    address: str
    kind: str
    body: Body | None
    attributes: Mapping[str, Any]


class DriverError(Exception):
    """A call that failed, told so that a person can act.

    message: what the other side said; call: the operation, for example ``ec2.CreateTransitGateway``;
    permanent: trying again without a change is useless; retry_after: seconds, where the other side named them.
    """

    def __init__(
        self, message: str, *, call: str = "", code: str = "", permanent: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.call, self.code = message, call, code
        self.permanent, self.retry_after = permanent, retry_after


class Driver(Protocol):
    """A vendor. Found in ``provisioning.drivers.DRIVERS`` by the first part of a resource's kind."""

    replace_on: Mapping[str, frozenset[str]]
    """kind → body fields whose change needs a replacement."""

    def apply(self, change: Change, context: DriverContext) -> Done | Waiting: ...

    def observe(self, desired: Iterable[Change], context: DriverContext) -> list[ObservedResource]: ...
