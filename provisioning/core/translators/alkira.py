"""Alkira's Terraform resources (https://registry.terraform.io/providers/alkiranet/alkira/latest/docs) as a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from provisioning.core.translators.alkira_connectors import CONNECTOR_TYPES, ConnectorTranslator
from provisioning.core.translators.alkira_names import AlkiraNames
from provisioning.core.translators.alkira_policies import translate_internet_apps, translate_policies, translate_shares
from provisioning.core.translators.hcl import Block
from provisioning.core.translators.terraform import Terraform, address
from provisioning.core.translators.translation import (
    BadAddress,
    SourceFile,
    SourceFormat,
    TranslatedFiles,
    TranslationBuilder,
    TranslationContext,
    read_prefix,
)

_KNOWN_LATER = {
    *CONNECTOR_TYPES,
    *("alkira_policy", "alkira_policy_rule", "alkira_policy_rule_list", "alkira_internet_application"),
    *("alkira_segment_resource", "alkira_segment_resource_share"),
    *("alkira_segment", "alkira_group", "alkira_group_user", "alkira_billing_tag", "alkira_policy_prefix_list"),
}


def translate(files: Sequence[SourceFile], context: TranslationContext) -> TranslatedFiles:
    builder = TranslationBuilder(context)
    terraform = Terraform(files, builder)
    names = AlkiraNames(terraform)
    simple: tuple[tuple[str, str, Callable[[Terraform, Block], dict[str, Any]]], ...] = (
        ("alkira_segment", "segments", _segment),
        ("alkira_group", "groups", _group),
        ("alkira_group_user", "groups", _group),
        ("alkira_billing_tag", "billing-tags", _group),
        ("alkira_policy_prefix_list", "prefix-lists", _prefix_list),
    )
    for type_, kind, body in simple:
        for block in terraform.of_type(type_):
            names.add(kind, block, **body(terraform, block))
    ConnectorTranslator(terraform, names).translate_all()
    translate_internet_apps(terraform, names)
    translate_shares(terraform, names)
    translate_policies(terraform, names)
    for (type_, _), block in terraform.resources.items():
        if type_.startswith("alkira_") and type_ not in _KNOWN_LATER and not type_.startswith("alkira_credential"):
            why, remedy = "This kind of resource is not translated.", "Draw by hand what the network needs of it."
            builder.note("left_out", block.place, address(block), why, remedy)
    return builder.finish()


def _segment(terraform: Terraform, block: Block) -> dict[str, Any]:
    terraform.note_others(block, ("name", "description", "cidrs"))
    # Members of a segment reach each other unless a policy drops it.
    prefixes = _prefixes(terraform, block, terraform.texts(block, "cidrs"))
    return {"description": terraform.description(block), "default_action": "allow", "prefixes": prefixes}


def _group(terraform: Terraform, block: Block) -> dict[str, Any]:
    terraform.note_others(block, ("name", "description"))
    return {"description": terraform.description(block)}


def _prefix_list(terraform: Terraform, block: Block) -> dict[str, Any]:
    terraform.note_others(block, ("name", "description", "prefixes", "prefix", "prefix_range"))
    texts = [
        *terraform.texts(block, "prefixes"),
        *(terraform.text(entry, "cidr") for entry in block.nested("prefix")),
    ]
    entries: list[dict[str, Any]] = [{"prefix": prefix} for prefix in _prefixes(terraform, block, filter(None, texts))]
    for entry in block.nested("prefix_range"):
        for prefix in _prefixes(terraform, block, [terraform.text(entry, "prefix")]):
            lengths = {key: int(text) for key in ("ge", "le") if (text := terraform.text(entry, key)).isdecimal()}
            entries.append({"prefix": prefix, **lengths})
    return {"description": terraform.description(block), "entries": entries}


def _prefixes(terraform: Terraform, block: Block, texts: Any) -> list[str]:
    prefixes = []
    for text in texts:
        try:
            prefixes.append(read_prefix(text))
        except BadAddress as error:
            remedy = "Correct it in the file."
            terraform.builder.note("left_out", block.place, f"{address(block)}: {text}", str(error), remedy)
    return prefixes


FORMAT = SourceFormat(
    "alkira-terraform",
    "Alkira Terraform",
    "The .tf files of a configuration with alkira_… resources, all of them together.",
    (".tf",),
    translate,
    ("exchange", "places"),
    max_bytes=1_000_000,
    quick_bytes=100_000,
)
