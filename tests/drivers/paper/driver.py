"""Step 3 of the recipe: discovery and the driver, on the shared base of tagged resources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from provisioning.core.values.resource import Change
from provisioning.drivers.base import CloudCredentials, Done, DriverContext, ObservedResource, Waiting
from provisioning.drivers.tagged import ADDRESS_TAG, Item, ItemState, ResourceContext, TaggedResource


@dataclass
class PaperApi:
    """The cloud itself: folders in the order in which they were made. A new one is wet, and dry when next listed."""

    folders: list[Item] = field(default_factory=list)
    creates: int = 0

    def create(self, tags: dict[str, str], sheet: str) -> Item:
        self.creates += 1
        self.folders.append({"id": f"folder-{self.creates}", "tags": tags, "sheet": sheet, "state": "wet"})
        return dict(self.folders[-1])

    def list(self) -> list[Item]:
        items = [dict(folder) for folder in self.folders]
        for folder in self.folders:
            folder["state"] = "dry"
        return items

    def delete(self, folder_id: str) -> None:
        self.folders = [folder for folder in self.folders if folder["id"] != folder_id]


API = PaperApi()


class Folder(TaggedResource[PaperApi]):
    """Body: sheet. Attributes: id."""

    cloud_label = "Paper"
    kind = "paper.folder"
    replace_on = frozenset({"sheet"})
    list_call = "paper.ListFolders"

    def list_tagged(self, context: ResourceContext[PaperApi]) -> list[Item]:
        return [item for item in context.api.list() if item["tags"][ADDRESS_TAG] == context.tag]

    def identifier(self, item: Item) -> str:
        return str(item["id"])

    def state(self, item: Item) -> ItemState:
        return ItemState.AVAILABLE if item["state"] == "dry" else ItemState.PENDING

    def reported_state(self, item: Item) -> str:
        return str(item["state"])

    def create(self, context: ResourceContext[PaperApi]) -> Item:
        return context.api.create(context.tags, context.body["sheet"])

    def delete(self, context: ResourceContext[PaperApi], item: Item) -> None:
        context.api.delete(item["id"])

    def read_body(self, context: ResourceContext[PaperApi], item: Item) -> dict[str, Any]:
        return {"sheet": item["sheet"]}


FOLDER = Folder()


class PaperDriver:
    replace_on = {FOLDER.kind: FOLDER.replace_on}

    def apply(self, change: Change, context: DriverContext) -> Done | Waiting:
        return FOLDER.apply(_resource_context(change, context), change)

    def observe(self, desired: Iterable[Change], context: DriverContext) -> list[ObservedResource]:
        return [FOLDER.observe(_resource_context(change, context)) for change in desired]


def _resource_context(change: Change, context: DriverContext) -> ResourceContext[PaperApi]:
    body = change.after if change.after is not None else change.before or {}
    known_attributes = context.attributes.get(change.address, {})
    return ResourceContext(API, context.tenant, change.address, body, change.before, known_attributes)


@dataclass(frozen=True)
class PaperInventory:
    sheets: list[dict[str, Any]]
    errors: dict[str, str]


def discover(credentials: CloudCredentials, regions: Sequence[str]) -> PaperInventory:
    sheets = [
        {
            "id": f"sheet-{region}",
            "name": f"letter-{region}",
            "region": region,
            "prefixes": ["10.80.0.0/16"],
            "subnets": [],
        }
        for region in regions
    ]
    return PaperInventory(sheets, {})
