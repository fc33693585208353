"""Alkira's connectors: the kind of connector that each is here, what is behind it, and what the far side is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.translators.alkira_names import AlkiraNames
from provisioning.core.translators.hcl import Block
from provisioning.core.translators.terraform import Terraform, address
from provisioning.core.translators.translation import BadAddress, placeholder_prefixes, read_prefix, word

Settings = Callable[["ConnectorTranslator", Block], dict[str, Any]]

SIZES = ("xsmall", "small", "medium", "large", "2large", "5large", "10large")
_COMMON = ("name", "description", "cxp", "failover_cxps", "size", "enabled", "group", "segment_id", "segment_ids")
_COMMON_REST = ("billing_tag_ids", "credential_id", "segment_options", "scale_group_id")


@dataclass(frozen=True, slots=True)
class ConnectorType:
    """``known``: arguments that ``settings`` reads, or that say which prefixes are behind it (``prefixes``, and
    ``block.argument`` for those of blocks inside); ``segments``: blocks inside that name a segment."""

    kind: str
    settings: Settings
    prefixes: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    segments: tuple[str, ...] = ("segment_options",)


class ConnectorTranslator:
    def __init__(self, terraform: Terraform, names: AlkiraNames) -> None:
        self.terraform, self.names, self.builder = terraform, names, terraform.builder
        self.placeholders = placeholder_prefixes()

    def translate_all(self) -> None:
        for type_, connector_type in CONNECTOR_TYPES.items():
            for block in self.terraform.of_type(type_):
                self.translate(block, connector_type)

    def translate(self, block: Block, connector_type: ConnectorType) -> None:
        terraform, names = self.terraform, self.names
        inner = {name.partition(".")[0] for name in connector_type.prefixes}
        known = (*_COMMON, *_COMMON_REST, *inner, *connector_type.known, *connector_type.segments)
        terraform.note_others(block, known)
        segments = names.segments(block, ("segment_id", "segment_ids"), connector_type.segments)
        if not segments:
            why, remedy = "It names no segment of these files.", "Add the connector in the draft."
            self.builder.note("left_out", block.place, address(block), why, remedy)
            return
        is_exit = connector_type.kind == "internet-exit"
        users = self.user_attachments(block)
        prefixes = [prefix for attachment in users for prefix in attachment["prefixes"]]
        prefixes = [] if is_exit else prefixes or list(self.prefixes(block, connector_type.prefixes))
        enabled = terraform.flag(block, "enabled")
        if not prefixes and not is_exit:
            prefixes, enabled = [next(self.placeholders)], False
            why = f"The file does not say which prefixes are behind it; {prefixes[0]} stands there, switched off."
            self.builder.note("needed", block.place, address(block), why, "Enter its prefixes and enable it.")
        groups = names.group(block)
        name = names.add(
            "connectors",
            block,
            description=terraform.description(block),
            kind=connector_type.kind,
            **self.exchanges(block),
            size=self.size(block),
            enabled=enabled,
            attachments=users or [{"segment": segment, "groups": groups, "prefixes": prefixes} for segment in segments],
            settings=connector_type.settings(self, block),
            billing_tags=names.named("billing-tags", block, "billing_tag_ids"),
        )
        if is_exit:
            names.exits.update((name, *groups))

    def user_attachments(self, block: Block) -> list[dict[str, Any]]:
        """Return an attachment for each segment and user group that remote access authorizes."""
        subnets: dict[tuple[str, tuple[str, ...]], dict[str, None]] = {}
        for authorization in block.nested("authorization"):
            segment = self.names.find("segments", self.terraform.value(authorization, "segment_id"))
            prefixes = dict.fromkeys(self.prefixes(authorization, ("subnet",)))
            if segment and prefixes:
                groups = tuple(self.names.named("groups", authorization, "user_group_name"))
                subnets.setdefault((segment, groups), {}).update(prefixes)
        return [
            {"segment": segment, "groups": [*groups], "prefixes": [*prefixes]}
            for (segment, groups), prefixes in subnets.items()
        ]

    def prefixes(self, block: Block, arguments: tuple[str, ...]) -> Iterator[str]:
        """Yield what is behind a connector, each prefix once."""
        seen: set[str] = set()
        for text in self.prefix_texts(block, arguments):
            try:
                prefix = read_prefix(text)
            except BadAddress as error:
                remedy = "Correct it in the file."
                self.builder.note("left_out", block.place, f"{address(block)}: {text}", str(error), remedy)
                continue
            if prefix not in seen:
                seen.add(prefix)
                yield prefix

    def prefix_texts(self, block: Block, arguments: tuple[str, ...]) -> Iterator[str]:
        for argument in arguments:
            outer, _, inner = argument.partition(".")
            for source in block.nested(outer) if inner else [block]:
                if not argument.endswith(("_list_id", "_list_ids")):
                    yield from self.terraform.texts(source, inner or outer)
                    continue
                for name in self.names.named("prefix-lists", source, inner or outer):
                    body = self.builder.body("prefix-lists", name)
                    yield from (entry["prefix"] for entry in (body or {}).get("entries", ()))

    def exchanges(self, block: Block) -> dict[str, Any]:
        exchange = self.builder.exchange_for(self.terraform.text(block, "cxp"), block.place)
        others = [self.builder.exchange_for(cxp, block.place) for cxp in self.terraform.texts(block, "failover_cxps")]
        failover = next((other for other in others if other != exchange), None)
        if len(others) > 1 or (others and failover is None):
            why = f"A connector has one failover exchange, other than its own; {failover or 'none'} is it."
            self.builder.note(
                "assumed", block.place, f"{address(block)}: failover_cxps", why, "Change it in the draft."
            )
        return {"exchange": exchange, "failover_exchange": failover}

    def size(self, block: Block) -> str:
        size = self.terraform.text(block, "size", "SMALL").lower()
        if size in SIZES:
            return size
        chosen = "xsmall" if size.endswith("xsmall") else "small"
        why = f"There is no such size; {chosen} is taken."
        self.builder.note("assumed", block.place, f"{address(block)}: size = {size}", why, "Choose one in the draft.")
        return chosen

    def required(self, block: Block, name: str, instead: str) -> str:
        """Return an argument, or what stands in its place until somebody enters it."""
        value = self.terraform.value(block, name)
        if isinstance(value, str | int) and str(value):
            return str(value)
        why = f"Its value is not in the files; “{instead}” stands in its place."
        remedy = "Enter it in the draft before you provision."
        self.builder.note("needed", block.place, f"{address(block)}: {name}", why, remedy)
        return instead

    def need_key(self, block: Block) -> None:
        why = "A key is never part of the network."
        remedy = "Store the key and name it as the connector's credential."
        self.builder.note("needed", block.place, f"{address(block)}: its keys", why, remedy)


def _aws_vpc(translator: ConnectorTranslator, block: Block) -> dict[str, Any]:
    unknown_vpc = "vpc-" + "".join(
        char for char in address(block).rpartition(".")[2] if char.isascii() and char.isalnum()
    )
    return {
        "account": translator.required(block, "aws_account_id", "000000000000"),
        "region": translator.required(block, "aws_region", "us-east-1"),
        "vpc_id": translator.required(block, "vpc_id", unknown_vpc[:40]),
    }


def _azure_vnet(translator: ConnectorTranslator, block: Block) -> dict[str, Any]:
    """Read ``/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/virtualNetworks/V``."""
    vnet_id = translator.required(block, "azure_vnet_id", "/")
    parts = vnet_id.split("/")
    found = {key.lower(): value for key, value in zip(parts[1::2], parts[2::2], strict=False)}
    why, remedy = "Alkira's file does not name the VNet's region.", "Enter it in the draft before you provision."
    translator.builder.note("needed", block.place, f"{address(block)}: region", why, remedy)
    return {
        "subscription": found.get("subscriptions", "00000000-0000-0000-0000-000000000000"),
        "resource_group": word(found.get("resourcegroups", "unknown")),
        "vnet": word(found.get("virtualnetworks", block.labels[-1])),
        "region": "unknown",
    }


def _gcp_vpc(translator: ConnectorTranslator, block: Block) -> dict[str, Any]:
    return {
        "project": translator.required(block, "gcp_project_id", "unknown-project"),
        "network": translator.required(block, "gcp_vpc_name", "unknown"),
        "region": translator.required(block, "gcp_region", "us-east1"),
    }


def _ipsec(translator: ConnectorTranslator, block: Block) -> dict[str, Any]:
    terraform = translator.terraform
    endpoints = [*block.nested("endpoint"), *block.nested("gateway")]
    fixed = [each for each in endpoints if terraform.text(each, "customer_ip_type", "STATIC") == "STATIC"]
    addresses = [text for each in fixed if (text := terraform.text(each, "customer_gateway_ip"))]
    if len(endpoints) > 2:
        says = f"{address(block)}: {len(endpoints)} endpoints"
        remedy = "Draw a second connector for the others."
        translator.builder.note("left_out", block.place, says, "A connector has two circuits.", remedy)
    for options in block.nested("routing_options"):
        if terraform.text(options, "type") in ("DYNAMIC", "BOTH"):
            why, remedy = "Routes are not learned by BGP.", "Enter the prefixes that are behind it."
            translator.builder.note("left_out", options.place, f"{address(block)}: routing by BGP", why, remedy)
    if terraform.text(block, "vpn_mode") == "POLICY_BASED":
        why, remedy = "Tunnels are route-based.", "Set the far side to a route-based tunnel."
        translator.builder.note("left_out", block.place, f"{address(block)}: POLICY_BASED", why, remedy)
    if any(each.nested("advanced_options") for each in endpoints):
        why, remedy = "Alkira's names of algorithms are not translated.", "Check the proposals in the draft."
        translator.builder.note("left_out", block.place, f"{address(block)}: advanced_options", why, remedy)
    translator.need_key(block)
    identity = None if addresses else word(terraform.text(endpoints[0], "name") if endpoints else block.labels[-1])
    return {"peer_addresses": addresses[:2], "identity": identity}


def _sdwan(vendor: str) -> Settings:
    def settings(translator: ConnectorTranslator, block: Block) -> dict[str, Any]:
        why = "The vendor's instances, their names and passwords are not part of the network."
        remedy = "Set up the vendor's edge, and enter its addresses."
        translator.builder.note("needed", block.place, address(block), why, remedy)
        return {"vendor": vendor}

    return settings


def _direct_connect(translator: ConnectorTranslator, block: Block) -> dict[str, Any]:
    instance = next(iter(block.nested("instance")), block)
    translator.need_key(block)
    text = translator.required(instance, "connection_id", "dxcon-unknown")
    tunnel = translator.terraform.text(block, "tunnel_protocol").lower()
    return {
        "connection_id": text if text.startswith(("dxcon-", "dxlag-")) else f"dxcon-{word(text).replace('-', '')}",
        "region": translator.required(instance, "aws_region", "us-east-1"),
        "encapsulation": tunnel if tunnel in ("gre", "ipsec") else "vlan",
    }


def _expressroute(translator: ConnectorTranslator, block: Block) -> dict[str, Any]:
    instance = next(iter(block.nested("instances")), block)
    circuit = translator.required(instance, "expressroute_circuit_id", "unknown").rpartition("/")[2]
    tunnel = translator.terraform.text(block, "tunnel_protocol").lower()
    return {"circuit": word(circuit), "encapsulation": "ipsec" if tunnel == "ipsec" else "vxlan"}


def _interconnect(translator: ConnectorTranslator, block: Block) -> dict[str, Any]:
    instances = [word(translator.terraform.text(each, "name", "vlan-a")) for each in block.nested("instances")]
    tunnel = translator.terraform.text(block, "tunnel_protocol").lower()
    return {"attachments": instances[:2] or ["vlan-a"], "encapsulation": "ipsec" if tunnel == "ipsec" else "vlan"}


def _remote_access(translator: ConnectorTranslator, block: Block) -> dict[str, Any]:
    mode = translator.terraform.text(block, "authentication_mode", "LOCAL").lower()
    return {"authentication": mode if mode in ("saml", "ldap", "local") else "oidc"}


def _no_settings(translator: ConnectorTranslator, block: Block) -> dict[str, Any]:
    return {}


_IPSEC_PREFIXES = ("routing_options.prefix_list_id", "policy_options.on_prem_prefix_list_ids")
_VENDORS = {
    "aruba_edge": ("aruba", "aruba_edge_vrf_mapping"),
    "cisco_sdwan": ("cisco", "vrf_segment_mapping"),
    "fortinet_sdwan": ("fortinet", "target_segment"),
    "juniper_sdwan": ("juniper", "juniper_ssr_vrf_mapping"),
    "prisma_sdwan": ("prisma", "target_segment"),
    "versa_sdwan": ("versa", "versa_vos_vrf_mapping"),
    "vmware_sdwan": ("vmware", "target_segment"),
}
CONNECTOR_TYPES: dict[str, ConnectorType] = {
    "alkira_connector_aws_vpc": ConnectorType(
        "aws-vpc", _aws_vpc, ("vpc_cidr", "vpc_subnet.cidr"), ("aws_account_id", "aws_region", "vpc_id")
    ),
    "alkira_connector_azure_vnet": ConnectorType(
        "azure-vnet", _azure_vnet, ("vnet_cidr.cidr", "vnet_subnet.subnet_cidr"), ("azure_vnet_id",)
    ),
    "alkira_connector_gcp_vpc": ConnectorType(
        "gcp-vpc", _gcp_vpc, ("vpc_subnet.cidr",), ("gcp_project_id", "gcp_vpc_name", "gcp_region")
    ),
    "alkira_connector_ipsec": ConnectorType("ipsec-site", _ipsec, _IPSEC_PREFIXES, ("vpn_mode", "endpoint")),
    "alkira_connector_ipsec_adv": ConnectorType("ipsec-site", _ipsec, _IPSEC_PREFIXES, ("vpn_mode", "gateway")),
    "alkira_connector_aws_dx": ConnectorType(
        "direct-connect", _direct_connect, (), ("instance", "tunnel_protocol", "loopback_prefixes")
    ),
    "alkira_connector_azure_expressroute": ConnectorType(
        "expressroute", _expressroute, (), ("instances", "tunnel_protocol", "vhub_prefix")
    ),
    "alkira_connector_gcp_interconnect": ConnectorType(
        "interconnect", _interconnect, (), ("instances", "tunnel_protocol", "loopback_prefixes")
    ),
    "alkira_connector_internet_exit": ConnectorType("internet-exit", _no_settings),
    "alkira_connector_remote_access": ConnectorType(
        "remote-access", _remote_access, (), ("authentication_mode", "authorization"), ("authorization",)
    ),
    **{
        f"alkira_connector_{type_}": ConnectorType("sdwan", _sdwan(vendor), segments=(segment_block,))
        for type_, (vendor, segment_block) in _VENDORS.items()
    },
}
