"""Tagged resources in AWS: how EC2 lists them, tags them and reports their state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from provisioning.drivers.aws.session import AwsApi
from provisioning.drivers.tagged import ADDRESS_TAG, TENANT_TAG, Item, ItemState, ResourceContext, TaggedResource

AwsContext = ResourceContext[AwsApi]

_STATES = {
    "available": ItemState.AVAILABLE,
    "failed": ItemState.FAILED,
    "failing": ItemState.FAILED,
    "rejected": ItemState.FAILED,
    "rejecting": ItemState.FAILED,
    "deleting": ItemState.DELETING,
    "deleted": ItemState.DELETED,
}
"""EC2's ``State`` → what it means; every other state is pending."""


class AwsTaggedResource(TaggedResource[AwsApi]):
    """A kind of EC2 resource.

    listing, items: the operation that lists it, and the member of the answer that holds the list.
    id_key:         the member of an item that holds its id.
    resource_type:  its name in TagSpecifications.
    """

    cloud_label = "AWS"
    listing: ClassVar[str]
    items: ClassVar[str]
    id_key: ClassVar[str]
    resource_type: ClassVar[str]

    @property
    def list_call(self) -> str:
        return f"ec2.{self.listing}"

    def list_tagged(self, context: AwsContext) -> list[Item]:
        """Return the items with our tag. With a cache, one listing of the tenant's items serves every address."""
        name, value = (TENANT_TAG, context.tenant) if context.api.has_cache else (ADDRESS_TAG, context.tag)
        filters = [{"Name": f"tag:{name}", "Values": [value]}]
        items = context.api.list(self.listing, self.items, Filters=filters)
        # Compared again here: some EC2 endpoints ignore tag filters on some listings.
        return [item for item in items if tags_of(item).get(ADDRESS_TAG) == context.tag]

    def identifier(self, item: Item) -> str:
        return str(item[self.id_key])

    def state(self, item: Item) -> ItemState:
        return _STATES.get(self.reported_state(item), ItemState.PENDING)

    def reported_state(self, item: Item) -> str:
        return str(item.get("State", "available"))

    def tag_specifications(self, context: AwsContext) -> list[dict[str, Any]]:
        """Return ``TagSpecifications`` for a create call."""
        tags = [{"Key": key, "Value": value} for key, value in context.tags.items()]
        return [{"ResourceType": self.resource_type, "Tags": tags}]


def tags_of(item: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags") or []}
