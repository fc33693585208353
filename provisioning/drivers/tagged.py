"""How a tagged resource in a cloud is created, changed and removed, whatever the cloud. Shared by all cloud drivers.

Every step looks first. What carries the address tag is continued with, so a create whose answer was lost is adopted and
a repeated apply does nothing twice. Nothing sleeps: a resource that is still pending is a Waiting.

A cloud's own module beside its driver says how its API lists, tags and names the state of things
(``aws/tagged.py``); each kind of resource says the rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from provisioning.core.values.resource import Body, Change
from provisioning.drivers.base import Done, DriverError, ObservedResource, Waiting

Item = dict[str, Any]
"""A resource as the cloud's API answers it."""

ApiT = TypeVar("ApiT")
"""A cloud's API for one account and region."""

TENANT_TAG = "causeway:tenant"
ADDRESS_TAG = "causeway:address"
POLL_SECONDS = 5.0


class ItemState(StrEnum):
    """What the state that a cloud reports means for a change."""

    PENDING = "pending"
    AVAILABLE = "available"
    FAILED = "failed"
    DELETING = "deleting"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class ResourceContext(Generic[ApiT]):
    """One address and how to reach it.

    body:   what it should be, or for a removal what it was; references are resolved.
    before: what was last written; a reference to what is gone meanwhile is None.
    known_attributes: the attributes recorded with ``before``.
    """

    api: ApiT
    tenant: str
    address: str
    body: Body
    before: Body | None = None
    known_attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """The value of the address tag: unique among all tenants of an installation."""
        return f"{self.tenant}/{self.address}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags that a create call sets."""
        return {TENANT_TAG: self.tenant, ADDRESS_TAG: self.tag, "Name": self.tag}

    def permanent_error(self, message: str, call: str, code: str) -> DriverError:
        return DriverError(message, call=call, code=code, permanent=True)


class TaggedResource(ABC, Generic[ApiT]):
    """One kind of resource that carries tags.

    A cloud's base class fills in ``list_tagged``, ``identifier``, ``state``, ``reported_state``, ``list_call``; each
    kind fills in ``create`` and ``delete``, and overrides the rest where it has more to say.
    """

    cloud_label: ClassVar[str]
    kind: ClassVar[str]
    replace_on: ClassVar[frozenset[str]] = frozenset()
    poll_seconds: ClassVar[float] = POLL_SECONDS

    # What a cloud says, once for all its kinds.

    @property
    @abstractmethod
    def list_call(self) -> str:
        """The operation that lists this kind, for errors: ``ec2.DescribeTransitGateways``."""

    @abstractmethod
    def list_tagged(self, context: ResourceContext[ApiT]) -> list[Item]:
        """Return every item whose address tag is ``context.tag``, also those that are being deleted."""

    @abstractmethod
    def identifier(self, item: Item) -> str:
        """Return the id by which the cloud knows an item."""

    @abstractmethod
    def state(self, item: Item) -> ItemState:
        """Return what the state of an item means."""

    @abstractmethod
    def reported_state(self, item: Item) -> str:
        """Return the state of an item in the cloud's own word, for notes and errors."""

    # What a kind says.

    @abstractmethod
    def create(self, context: ResourceContext[ApiT]) -> Item:
        """Create it, with its tags in the same call, and return it as the cloud answered."""

    def reconcile(self, context: ResourceContext[ApiT], item: Item) -> Waiting | None:
        """Bring everything that depends on an available item into line; None when nothing is left to do."""
        return None

    @abstractmethod
    def delete(self, context: ResourceContext[ApiT], item: Item) -> None:
        """Delete it; where something still uses it, the cloud refuses."""

    def attributes(self, context: ResourceContext[ApiT], item: Item) -> dict[str, Any]:
        """Return what other resources may refer to."""
        return {"id": self.identifier(item)}

    def read_body(self, context: ResourceContext[ApiT], item: Item) -> dict[str, Any]:
        """Return the fields of the body that the cloud reports; the others count as desired."""
        return {}

    # What all share.

    def apply(self, context: ResourceContext[ApiT], change: Change) -> Done | Waiting:
        """Take one step towards the change.

        1. Find what carries the tag. While it is being deleted, wait.
        2. Remove: delete it, and wait until it is gone.
        3. Replace: delete it where it still is the one to be replaced; its successor follows in a later step.
        4. Create it where there is none.
        5. While it is pending, wait; where it failed, raise a permanent error.
        6. Reconcile what depends on it, then Done.
        """
        item = self.find(context)
        if item and self.state(item) is ItemState.DELETING:
            return Waiting(self.poll_seconds, f"{self.identifier(item)} is being deleted")
        if change.action == "remove":
            return self._remove(context, item)
        if item and change.action == "replace" and self._is_to_be_replaced(context, item):
            self._remove(context, item)
            return Waiting(self.poll_seconds, f"{self.identifier(item)} is being deleted, its successor follows")
        if item is None:
            item = self.create(context)
        state = self.state(item)
        if state is ItemState.FAILED:
            raise context.permanent_error(
                f"{self.cloud_label} reports {self.identifier(item)} as {self.reported_state(item)}. "
                "Delete it there, then retry.",
                self.list_call,
                self.reported_state(item),
            )
        if state is not ItemState.AVAILABLE:
            return Waiting(self.poll_seconds, f"{self.identifier(item)} is {self.reported_state(item)}")
        if waiting := self.reconcile(context, item):
            return waiting
        return Done(self.attributes(context, item), dict(context.body))

    def observe(self, context: ResourceContext[ApiT]) -> ObservedResource:
        """Return what is at the address; ``body`` None unless it is available."""
        item = self.find(context)
        if item is None:
            return ObservedResource(context.address, self.kind, None, {})
        if self.state(item) is not ItemState.AVAILABLE:
            return ObservedResource(context.address, self.kind, None, {"id": self.identifier(item)})
        body = {**context.body, **self.read_body(context, item)}
        return ObservedResource(context.address, self.kind, body, self.attributes(context, item))

    def find(self, context: ResourceContext[ApiT]) -> Item | None:
        """Return the one item with the address tag, or one that is being deleted; raises where two are alive."""
        items = [item for item in self.list_tagged(context) if self.state(item) is not ItemState.DELETED]
        living = [item for item in items if self.state(item) is not ItemState.DELETING]
        if len(living) > 1:
            ids = " and ".join(sorted(map(self.identifier, living)))
            raise context.permanent_error(
                f"{ids} both carry the tag {ADDRESS_TAG}={context.tag}. Delete the one that is not in use, then retry.",
                self.list_call,
                "Doubled",
            )
        return next(iter(living or items), None)

    def _is_to_be_replaced(self, context: ResourceContext[ApiT], item: Item) -> bool:
        """Whether an item is the one to be replaced, not yet its successor.

        It is when the cloud reports a ``replace_on`` field that differs from the desired one. Where it does not report
        the field that changed, it is when the item is the one that was known when the change was planned.
        """
        reported, before = self.read_body(context, item), context.before or {}
        if any(reported[name] != context.body.get(name) for name in self.replace_on if name in reported):
            return True
        changed = {name for name in self.replace_on if before.get(name) != context.body.get(name)}
        return bool(changed - set(reported)) and self.identifier(item) == context.known_attributes.get("id")

    def _remove(self, context: ResourceContext[ApiT], item: Item | None) -> Done | Waiting:
        if item is None:
            return Done({}, None)
        self.delete(context, item)
        if self.find(context) is None:
            return Done({}, None)
        return Waiting(self.poll_seconds, f"{self.identifier(item)} is being deleted")
