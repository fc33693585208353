"""Cilium's own network policies: deny rules, entities, sets of CIDRs and rules of application protocols."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from provisioning.core.intent.fields import ANY, INTERNET
from provisioning.core.translators.json_source import mapping, objects, texts
from provisioning.core.translators.label_groups import NAMESPACE, LabelGroups, Unsayable, requirements_of
from provisioning.core.translators.policy_ports import port_matches
from provisioning.core.translators.prefix_blocks import prefixes_of_block
from provisioning.core.translators.segmentation import Direction, Peers, Segmentation
from provisioning.core.translators.translation import PortMatch, quote
from provisioning.core.values.icmp_types import icmp_type_number, icmp_type_text
from provisioning.core.values.labels import LabelRequirement

_SECTIONS: tuple[tuple[str, Direction, bool], ...] = (
    ("ingress", "ingress", False),
    ("ingressDeny", "ingress", True),
    ("egress", "egress", False),
    ("egressDeny", "egress", True),
)
_UNSAYABLE = {
    "toFQDNs": "It names hosts by name.",
    "toServices": "It names services of the cluster.",
    "fromRequires": "Every source has to meet it as well.",
    "toRequires": "Every destination has to meet it as well.",
    "fromGroups": "It names groups of a cloud.",
    "toGroups": "It names groups of a cloud.",
    "fromNodes": "It names nodes.",
    "toNodes": "It names nodes.",
    "authentication": "It asks for authentication.",
}


def translate_policy(segmentation: Segmentation, groups: LabelGroups, resource: Mapping[str, Any], place: str) -> None:
    metadata = mapping(resource.get("metadata"))
    is_clusterwide = resource.get("kind") == "CiliumClusterwideNetworkPolicy"
    namespace = None if is_clusterwide else str(metadata.get("namespace") or "default")
    specs = objects(resource, "specs") + objects([resource.get("spec")])
    for spec in specs:
        _Translator(segmentation, groups, namespace, str(metadata.get("name") or "policy"), place).translate(spec)


class _Translator:
    def __init__(
        self, segmentation: Segmentation, groups: LabelGroups, namespace: str | None, name: str, place: str
    ) -> None:
        self.segmentation, self.groups, self.namespace, self.place = segmentation, groups, namespace, place
        self.name = f"{namespace or 'cluster'} {name}"

    def translate(self, spec: Mapping[str, Any]) -> None:
        if "endpointSelector" not in spec:
            self.groups.note(self.place, "nodeSelector", Unsayable("It selects nodes."), "Draw its policy by hand.")
            return
        try:
            subject = self.groups.group(self.requirements(spec["endpointSelector"]))
        except Unsayable as error:
            self.groups.note(self.place, "endpointSelector", error, "Draw its policy by hand.")
            return
        defaults = mapping(spec.get("enableDefaultDeny"))
        for section, direction, denies in _SECTIONS:
            if section not in spec:
                continue
            if defaults.get(direction) is not False:
                self.segmentation.isolate(direction, subject)
            for index, rule in enumerate(objects(spec, section)):
                self.translate_rule(rule, f"{section}[{index}]", direction, subject, denies)

    def translate_rule(
        self, rule: Mapping[str, Any], where: str, direction: Direction, subject: str, denies: bool
    ) -> None:
        place = f"{self.place} {where}"
        if not rule:
            # It allows nothing, and isolates.
            return
        try:
            for field, why in _UNSAYABLE.items():
                if field in rule:
                    raise Unsayable(why)
            peers = self.peers(rule, direction)
            matches = self.icmp_types(rule) if "icmps" in rule else [list(self.ports(rule, place))]
        except Unsayable as error:
            wrong = "what it denies may be allowed" if denies else "it is denied"
            self.groups.note(place, f"{direction} rule", error, f"Draw it by hand; until then {wrong}.")
            return
        for ports in matches:
            if ports and (peers.names or peers.prefixes):
                self.segmentation.add(f"{self.name} {where}", place, direction, subject, peers, ports, denies=denies)

    def requirements(self, selector: Any) -> list[LabelRequirement]:
        """Return the requirements of a selector; without a namespace of its own it is about that of the policy."""
        found = requirements_of(selector)
        if self.namespace and not any(requirement.key == NAMESPACE for requirement in found):
            found.append(LabelRequirement(NAMESPACE, (self.namespace,), False))
        return found

    def peers(self, rule: Mapping[str, Any], direction: Direction) -> Peers:
        side = "from" if direction == "ingress" else "to"
        given = [field for field in ("Endpoints", "Entities", "CIDR", "CIDRSet") if f"{side}{field}" in rule]
        if not given:
            return Peers((ANY,) if direction == "ingress" else (ANY, INTERNET))
        names = [self.groups.group(self.requirements(selector)) for selector in objects(rule, f"{side}Endpoints")]
        for entity in texts(rule.get(f"{side}Entities")):
            names += self.entity(entity, direction)
        prefixes = [prefix for cidr in texts(rule.get(f"{side}CIDR")) for prefix in prefixes_of_block(cidr, ())]
        for block in objects(rule, f"{side}CIDRSet"):
            prefixes += prefixes_of_block(block.get("cidr"), texts(block.get("except")))
        return Peers(list(dict.fromkeys(names)), prefixes)

    def entity(self, entity: str, direction: Direction) -> list[str]:
        match entity:
            case "all":
                return [ANY] if direction == "ingress" else [ANY, INTERNET]
            case "world" if direction == "egress":
                return [INTERNET]
            case "world":
                raise Unsayable("From the internet only an internet application is reached.")
            case "cluster":
                return [self.groups.group([LabelRequirement(NAMESPACE, (), False)])]
        raise Unsayable(f"There is nothing like the entity {entity}.")

    def icmp_types(self, rule: Mapping[str, Any]) -> list[list[PortMatch]]:
        """Return the types of ICMP and of ICMPv6, each as a match of its own. Raise Unsayable."""
        if "toPorts" in rule:
            raise Unsayable("It names types of ICMP and ports.")
        found: dict[str, list[str]] = {}
        for entry in objects(rule, "icmps"):
            for field in objects(entry, "fields"):
                protocol = "icmpv6" if field.get("family") == "IPv6" else "icmp"
                text = re.sub("(?<=[a-z])(?=[A-Z])", "-", str(field.get("type"))).lower()
                numbers = (icmp_type_number(protocol, name) for name in (text, f"{text}-request"))
                number = next((number for number in numbers if number is not None), None)
                if number is None:
                    raise Unsayable(f"It names the type “{quote(field.get('type'))}” of ICMP.")
                found.setdefault(protocol, []).append(icmp_type_text(protocol, number))
        return [[(protocol, types)] for protocol, types in found.items()]

    def ports(self, rule: Mapping[str, Any], place: str) -> Iterator[PortMatch]:
        entries = objects(rule, "toPorts")
        if not entries:
            yield from port_matches((), self.groups.builder, place)
        for entry in entries:
            if entry.get("rules"):
                raise Unsayable("It looks at requests of an application protocol; rules look at ports only.")
            yield from port_matches(objects(entry, "ports"), self.groups.builder, place)
