"""How a tagged thing in AWS is made, changed and removed, whatever it is.

Every step looks first. What is found by its address tag is continued with, so a call whose answer was lost is adopted
and a repeated apply does nothing twice. Nobody sleeps: a thing that is still pending is a Waiting.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from provisioning.core.values.resource import Body, Change
from provisioning.drivers.aws.session import AwsApi
from provisioning.drivers.base import Done, DriverError, ObservedResource, Waiting

AwsItem = dict[str, Any]

TENANT_TAG = "causeway:tenant"
ADDRESS_TAG = "causeway:address"
POLL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ResourceContext:
    """One address. ``body`` is what it should be (what it was, when it goes), ``before`` what was last written,
    ``known`` the attributes it had then."""

    api: AwsApi
    tenant: str
    address: str
    body: Body
    before: Body | None = None
    known_attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        return f"{self.tenant}/{self.address}"

    def tags(self, resource_type: str) -> list[dict[str, Any]]:
        """TagSpecifications for a create call."""
        named = {TENANT_TAG: self.tenant, ADDRESS_TAG: self.tag, "Name": self.tag}
        pairs = [{"Key": key, "Value": value} for key, value in named.items()]
        return [{"ResourceType": resource_type, "Tags": pairs}]

    def permanent_error(self, message: str, call: str, code: str) -> DriverError:
        return DriverError(message, call=call, code=code, permanent=True)


class TaggedResource(ABC):
    """A kind that carries tags. A subclass names AWS' operations and fills in what differs."""

    kind: ClassVar[str]
    replace_on: ClassVar[frozenset[str]] = frozenset()
    listing: ClassVar[str]
    items: ClassVar[str]
    id_key: ClassVar[str]
    resource_type: ClassVar[str]
    poll_seconds: ClassVar[float] = POLL_SECONDS

    # What a subclass says.

    @abstractmethod
    def create(self, context: ResourceContext) -> AwsItem:
        """Make it, with its tags in the same call, and return it as AWS answered."""

    def reconcile(self, context: ResourceContext, found: AwsItem) -> Waiting | None:
        """Bring everything that hangs on an available thing into line; None when nothing is left to do."""
        return None

    @abstractmethod
    def delete(self, context: ResourceContext, found: AwsItem) -> None:
        """Take it away; what still hangs on it makes AWS refuse."""

    def attributes(self, context: ResourceContext, found: AwsItem) -> dict[str, Any]:
        return {"id": found[self.id_key]}

    def read_body(self, context: ResourceContext, found: AwsItem) -> dict[str, Any]:
        """The fields of the body as AWS tells them; what it does not tell stays as wanted."""
        return {}

    # What they share.

    def apply(self, context: ResourceContext, change: Change) -> Done | Waiting:
        found = self.find(context)
        if found and self.state(found) == "deleting":
            return Waiting(self.poll_seconds, f"{found[self.id_key]} is being deleted")
        if change.action == "remove":
            return self._remove(context, found)
        if found and change.action == "replace" and self._is_to_be_replaced(context, found):
            self._remove(context, found)
            return Waiting(self.poll_seconds, f"{found[self.id_key]} is being deleted, its successor follows")
        if found is None:
            found = self.create(context)
        state = self.state(found)
        if state in {"failed", "failing", "rejected", "rejecting"}:
            raise context.permanent_error(
                f"AWS reports {found[self.id_key]} as {state}. Delete it there, then retry.",
                f"ec2.{self.listing}",
                state,
            )
        if state != "available":
            return Waiting(self.poll_seconds, f"{found[self.id_key]} is {state}")
        if waiting := self.reconcile(context, found):
            return waiting
        return Done(self.attributes(context, found), dict(context.body))

    def observe(self, context: ResourceContext) -> ObservedResource:
        found = self.find(context)
        if found is None or self.state(found) != "available":
            return ObservedResource(
                context.address, self.kind, None, {} if found is None else {"id": found[self.id_key]}
            )
        body = {**context.body, **self.read_body(context, found)}
        return ObservedResource(context.address, self.kind, body, self.attributes(context, found))

    def find(self, context: ResourceContext) -> AwsItem | None:
        """The one thing with our address tag; two of them is for a person to sort out, we guess at neither."""
        name, value = (TENANT_TAG, context.tenant) if context.api.has_cache else (ADDRESS_TAG, context.tag)
        filters = [{"Name": f"tag:{name}", "Values": [value]}]
        mine = [
            item
            for item in context.api.list(self.listing, self.items, Filters=filters)
            # Asked again here: EC2 endpoints exist that ignore tag filters on some listings.
            if tags_of(item).get(ADDRESS_TAG) == context.tag and self.state(item) != "deleted"
        ]
        living = [item for item in mine if self.state(item) != "deleting"]
        if len(living) > 1:
            ids = " and ".join(sorted(item[self.id_key] for item in living))
            raise context.permanent_error(
                f"{ids} both carry the tag {ADDRESS_TAG}={context.tag}. Delete the one that is not in use, then retry.",
                f"ec2.{self.listing}",
                "Doubled",
            )
        return next(iter(living or mine), None)

    def state(self, found: AwsItem) -> str:
        return str(found.get("State", "available"))

    def _is_to_be_replaced(self, context: ResourceContext, found: AwsItem) -> bool:
        """Whether what is there is still the one to be replaced.

        It is when AWS tells that it differs where that matters; where AWS does not tell the field that changed, when
        it is the one we knew when the change was planned.
        """
        told, before = self.read_body(context, found), context.before or {}
        if any(told[name] != context.body.get(name) for name in self.replace_on if name in told):
            return True
        changed = {name for name in self.replace_on if before.get(name) != context.body.get(name)}
        return bool(changed - set(told)) and found[self.id_key] == context.known_attributes.get("id")

    def _remove(self, context: ResourceContext, found: AwsItem | None) -> Done | Waiting:
        if found is None:
            return Done({}, None)
        self.delete(context, found)
        if self.find(context) is None:
            return Done({}, None)
        return Waiting(self.poll_seconds, f"{found[self.id_key]} is being deleted")


def tags_of(item: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags") or []}
