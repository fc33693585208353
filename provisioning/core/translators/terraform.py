"""The resources of a Terraform configuration, with what they name filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provisioning.core.translators.hcl import Block, Names, Traversal, Unread, parse_hcl
from provisioning.core.translators.translation import SourceFile, TranslationBuilder, description

_META_ARGUMENTS = ("provider", "depends_on", "lifecycle", "provisioner", "timeouts")
"""Of every resource; how Terraform works on it (https://developer.hashicorp.com/terraform/language/meta-arguments)."""


class Terraform:
    """All files of a configuration, read once. Blocks that are not resources are noted where they may hold some."""

    def __init__(self, files: Sequence[SourceFile], builder: TranslationBuilder) -> None:
        self.builder = builder
        self.names = Names({})
        self.resources: dict[tuple[str, str], Block] = {}
        for file in files:
            for block in parse_hcl(file):
                self._add(block)

    def _add(self, block: Block) -> None:
        match block.type, block.labels:
            case "resource", (type_, label):
                self.resources[type_, label] = block
            case "variable", (name,) if "default" in block.attributes:
                self.names.values[f"var.{name}"] = block.attributes["default"]
            case "locals", ():
                self.names.values.update({f"local.{name}": value for name, value in block.attributes.items()})
            case "module", (name,):
                why, remedy = "A module's resources are in other files.", "Import those files too."
                self.builder.note("left_out", block.place, f"module {name}", why, remedy)
            case "data", (type_, label) if type_.startswith("alkira_"):
                why = "It is looked up where the configuration is applied."
                remedy = "Where something names it, choose the object of the draft yourself."
                self.builder.note("left_out", block.place, f"data {type_}.{label}", why, remedy)

    def of_type(self, type_: str) -> Iterator[Block]:
        """Yield the resources of a type; the copies that ``count`` and ``for_each`` make are one, with a note."""
        for (other, label), block in self.resources.items():
            if other != type_:
                continue
            for argument in ("count", "for_each"):
                if argument in block.attributes:
                    why = "Terraform makes several of it; one is drawn."
                    says, remedy = f"{type_}.{label} with {argument}", "Add the others in the draft."
                    self.builder.note("assumed", block.place, says, why, remedy)
            yield block

    def value(self, block: Block, name: str) -> Any:
        """Return an argument; None where it is left out."""
        filled = self.names.fill_in(block.attributes.get(name))
        return self._attribute(filled) if isinstance(filled, Traversal) else filled

    def _attribute(self, name: Traversal) -> Any:
        """Return what a resource of these files says of itself, such as the ``cidr_block`` of an ``aws_vpc``."""
        resource = self.resource(name) if len(name.parts) == 3 else None
        value = self.names.fill_in(resource.attributes.get(name.parts[2])) if resource else None
        return name if value is None or isinstance(value, Traversal) else value

    def text(self, block: Block, name: str, default: str = "") -> str:
        """Return an argument that is a text or a number; the default, with a note, where Terraform works it out."""
        value = self.value(block, name)
        if isinstance(value, Traversal | Unread):
            self._note_unread(block, name, value)
            return default
        return default if value is None or isinstance(value, list | dict) else str(value)

    def flag(self, block: Block, name: str, default: bool = True) -> bool:
        value = self.text(block, name, str(default)).lower()
        return value == "true" if value in ("true", "false") else default

    def description(self, block: Block) -> str:
        return description(self.text(block, "description"))

    def texts(self, block: Block, name: str) -> list[str]:
        """Return an argument that is a list of texts, without what Terraform works out."""
        texts = []
        for value in self.values(block, name):
            known = self._attribute(value) if isinstance(value, Traversal) else value
            if isinstance(known, Traversal | Unread):
                self._note_unread(block, name, known)
            elif isinstance(known, str | int):
                texts.append(str(known))
        return texts

    def values(self, block: Block, name: str) -> list[Any]:
        """Return an argument as a list, names of resources as they are."""
        value = self.names.fill_in(block.attributes.get(name))
        return value if isinstance(value, list) else [] if value is None else [value]

    def resource(self, value: Any) -> Block | None:
        """Return the resource that a value names."""
        if not isinstance(value, Traversal) or len(value.parts) < 2:
            return None
        return self.resources.get((value.parts[0], value.parts[1]))

    def note_others(self, block: Block, known: Mapping[str, str] | Sequence[str]) -> None:
        """Note the arguments that the translator does not know; their values may be secrets and are not quoted."""
        others = [name for name in block.attributes if name not in known]
        others += sorted({inner.type for inner in block.blocks if inner.type not in known})
        for name in others:
            if name not in _META_ARGUMENTS and name not in ("count", "for_each"):
                why, remedy = "There is nothing like it here.", "Nothing, where the network does without it."
                self.builder.note("left_out", block.place, f"{address(block)}: {name}", why, remedy)

    def _note_unread(self, block: Block, name: str, value: Traversal | Unread) -> None:
        why = "Only Terraform knows the value."
        remedy = "Write the value into the file, or set it in the draft."
        self.builder.note("left_out", block.place, f"{address(block)}: {name} = {value}", why, remedy)


def address(block: Block) -> str:
    """Return what Terraform calls a resource, or the type of a block inside."""
    return ".".join(block.labels) or block.type
