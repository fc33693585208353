"""What the resources of an Alkira configuration are called here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from provisioning.core.intent.fields import ANY, INTERNET
from provisioning.core.translators.hcl import Block, Traversal
from provisioning.core.translators.terraform import Terraform, address

EVERY_GROUP = "-1"


class AlkiraNames:
    """``exits``: connectors and groups that lead to the internet."""

    def __init__(self, terraform: Terraform) -> None:
        self.terraform, self.builder = terraform, terraform.builder
        self._by_block: dict[int, str] = {}
        self._by_name: dict[tuple[str, str], str] = {}
        self.exits: set[str] = set()

    def add(self, kind: str, block: Block, /, **body: Any) -> str:
        """Add an object for a resource, and remember what it is called."""
        own_name = self.terraform.text(block, "name", block.labels[-1])
        name = self.builder.add(kind, own_name, **body)
        self._by_block[id(block)] = name
        self._by_name.setdefault((kind, own_name), name)
        return name

    def find(self, kind: str, value: Any) -> str | None:
        """Return what is named by ``alkira_segment.corp.id``, or by the name itself."""
        block = self.terraform.resource(value)
        if block is not None:
            return self._by_block.get(id(block))
        return self._by_name.get((kind, value)) if isinstance(value, str) else None

    def named(self, kind: str, block: Block, argument: str) -> list[str]:
        """Return the objects that an argument names, with a note for each that is not in these files."""
        found = []
        for value in self.terraform.values(block, argument):
            if name := self.find(kind, value):
                found.append(name)
            else:
                self.note_unknown(block, argument, value)
        return list(dict.fromkeys(found))

    def group(self, block: Block) -> list[str]:
        """Return the group of a connector; one that is named only there is made."""
        value = self.terraform.value(block, "group")
        if isinstance(value, str) and value and not self.find("groups", value):
            self._by_name["groups", value] = self.builder.add("groups", value)
        return self.named("groups", block, "group")

    def endpoints(self, block: Block, argument: str) -> list[str]:
        """Return groups and connectors that a policy names; every group is ``any``, and the internet with it."""
        found: list[str] = []
        for value in self.terraform.values(block, argument):
            if str(value) == EVERY_GROUP:
                found += [ANY, INTERNET] if argument == "to_groups" else [ANY]
            elif name := self.find("groups", value):
                found += [name, INTERNET] if name in self.exits else [name]
            else:
                self.note_unknown(block, argument, value)
        # An exit is no end of a flow: what it leads to is.
        return list(dict.fromkeys(INTERNET if self.is_exit(name) else name for name in found))

    def is_exit(self, name: str) -> bool:
        connector = self.builder.body("connectors", name)
        return connector is not None and connector["kind"] == "internet-exit"

    def note_unknown(self, block: Block, argument: str, value: Any) -> None:
        why = "It is not among the files." if isinstance(value, Traversal | str) else "A number names nothing here."
        remedy = "Import the file that has it, or name it in the draft."
        self.builder.note("left_out", block.place, f"{address(block)}: {argument} = {value}", why, remedy)

    def segments(self, block: Block, arguments: Sequence[str], inner: Sequence[str]) -> list[str]:
        """Return the segments of a connector: of its arguments, or of the blocks inside of these types."""
        found = [name for argument in arguments for name in self.named("segments", block, argument)]
        for type_ in inner:
            for nested in _nested(block, type_):
                found += self.named("segments", nested, "segment_id")
        return list(dict.fromkeys(found))


def _nested(block: Block, type_: str) -> list[Block]:
    """Return the blocks of a type inside, at any depth."""
    return [*block.nested(type_), *(found for inner in block.blocks for found in _nested(inner, type_))]
