"""What a driver promises: two verbs, one type of error, limits that are stated before the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from provisioning.core.node_document import VERSION
from provisioning.core.values.resource import Body, Change


@dataclass(frozen=True, slots=True)
class CloudCredentials:
    """How to reach one cloud account; never logged. ``secret`` is what the vault holds, by field name."""

    account: str
    secret: Mapping[str, str] = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class PublishedSection:
    """A resource's section on one node, and what the node has reported of it.

    reporting_since:  since when the node has reported without a break; None for one that is silent.
    document_version: what the node's agent knows; None for a node that never reported, 0 for an agent from before
    documents had versions.
    """

    node: str
    is_applied: bool
    failure: str
    published_at: datetime
    seen_at: datetime | None
    reporting_since: datetime | None
    document_version: int | None

    @property
    def is_outdated(self) -> bool:
        """Whether the node's agent cannot read what is published to it."""
        return self.document_version is not None and self.document_version < VERSION


class SectionPublisher(Protocol):
    """Writes sections of node documents and reads what nodes report of them."""

    def publish(self, change: Change) -> list[PublishedSection]:
        """Write the resource's sections where they differ, wake the nodes, and return the sections as they are now."""

    def reset(self, address: str, nodes: Iterable[str]) -> None:
        """Let the next ``publish`` write these nodes' sections again, whether or not their bodies differ."""

    def listening_since(self) -> datetime | None:
        """Return since when reports of nodes, whichever, have arrived without a break; None while none does."""

    def delete_removed(self, address: str) -> None:
        """Drop the sections of nodes that have removed the resource."""

    def is_published(self, change: Change) -> bool:
        """Return whether what the change leads to is what was last published."""


@dataclass(frozen=True, slots=True)
class DriverContext:
    """What a driver may know besides the change itself.

    tenant:      slug; part of every tag.
    attributes:  address → attributes (cloud ids) that earlier steps recorded, for references.
    credentials: (cloud, account id) → CloudCredentials; raises DriverError(permanent) when the account is gone. Two
                 clouds may number accounts alike.
    sections:    the sections of node documents; only the exchange driver writes them.
    """

    tenant: str
    attributes: Mapping[str, Mapping[str, Any]]
    credentials: Callable[[str, str], CloudCredentials]
    sections: SectionPublisher


@dataclass(frozen=True, slots=True)
class Done:
    """The change is complete. ``attributes``: what later steps may refer to; ``body``: what is there (None: gone)."""

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
    """A call that failed, described so that a person can act.

    message:     what the other side said.
    call:        the operation, for example ``ec2.CreateTransitGateway``.
    code:        the other side's error code, by which pages find a remedy.
    permanent:   trying again without a change is useless.
    retry_after: seconds, where the other side named them.
    """

    def __init__(
        self, message: str, *, call: str = "", code: str = "", permanent: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.call, self.code = message, call, code
        self.permanent, self.retry_after = permanent, retry_after


class Driver(Protocol):
    """Carries out changes. Found by the first part of a resource's kind (``drivers.get_driver``).

    Who calls a driver has resolved the references of both bodies (``values.resource.resolve_change``). In ``before``
    one to a resource that is gone meanwhile is None.

    One instance serves every thread of a worker. A worker may die at any moment, and another one then calls ``apply``
    again with the same change; so the duties of a driver are:

    1. Be idempotent by address. Look for what carries the address before creating it, so that nothing is done twice.
    2. Adopt what a lost answer created. Mark a resource with its address in the create call itself, so that the next
       apply finds it. Never repeat a write whose answer was lost without looking first.
    3. Never sleep. Return Waiting while the other side works, with the seconds until a look is worthwhile.
    4. Fail in one way only: DriverError, ``permanent`` when only a person can help, else with ``retry_after`` where the
       other side named a time. An exception of any other type is a bug, and ends the step.
    5. Never overwrite or delete what is not ours. Raise a permanent error that names it.
    6. Remove completely: Done with ``body`` None means that the resource is gone and its name may be used again.
    7. Keep secrets out of attributes, notes and errors: pages show all three.
    8. State limits before the plan, in the cloud's declaration (``Cloud.quotas``), not by failing half-way.
    """

    replace_on: Mapping[str, frozenset[str]]
    """Kind → body fields whose change needs a replacement."""

    def apply(self, change: Change, context: DriverContext) -> Done | Waiting:
        """Take one step towards the change. Raises DriverError."""

    def observe(self, desired: Iterable[Change], context: DriverContext) -> list[ObservedResource]:
        """Return what is at the addresses of these changes, in their order. Only reads; raises DriverError."""
