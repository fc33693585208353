"""Network policies of Kubernetes and Cilium as segmentation: namespaces and labels of pods as groups, rules with ports.

Sources: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/ and
https://docs.cilium.io/en/stable/security/policy/language/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from provisioning.core.formats.yaml_format import load_yaml_documents
from provisioning.core.intent.fields import ANY, INTERNET
from provisioning.core.translators import cilium
from provisioning.core.translators.json_source import mapping, objects, texts
from provisioning.core.translators.label_groups import NAMESPACE, LabelGroups, Unsayable, requirements_of
from provisioning.core.translators.policy_ports import port_matches
from provisioning.core.translators.prefix_blocks import prefixes_of_block
from provisioning.core.translators.segmentation import Direction, Peers, Segmentation
from provisioning.core.translators.translation import (
    BadSource,
    SourceFile,
    SourceFormat,
    TranslatedFiles,
    TranslationBuilder,
    TranslationContext,
)
from provisioning.core.values.labels import LabelRequirement

MAX_DOCUMENTS = 5_000
_CILIUM_KINDS = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
_EVERYONE: dict[Direction, tuple[str, ...]] = {"ingress": (ANY,), "egress": (ANY, INTERNET)}


def translate(files: Sequence[SourceFile], context: TranslationContext) -> TranslatedFiles:
    builder = TranslationBuilder(context)
    segment = context.segment or builder.add("segments", "cluster", default_action="allow")
    segmentation, groups = Segmentation(builder, segment), LabelGroups(builder)
    for file in files:
        for place, resource in _resources(file):
            kind = str(resource.get("kind", ""))
            if kind == "NetworkPolicy":
                _translate_policy(segmentation, groups, resource, place)
            elif kind in _CILIUM_KINDS:
                cilium.translate_policy(segmentation, groups, resource, place)
            else:
                why, remedy = "It is not a network policy.", "Nothing."
                builder.note("left_out", file.name, f"{kind or 'a document without a kind'}", why, remedy)
    segmentation.finish()
    if groups.made:
        why = "Who is in a group follows from the labels of connectors and attachments; pods have none here."
        remedy = f"Give the attachments of your nodes and pods their labels, and {NAMESPACE}=NAME."
        builder.note("needed", ", ".join(file.name for file in files)[:200], f"{groups.made} groups", why, remedy)
    return builder.finish()


def _resources(file: SourceFile) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the place and the value of every resource of a file, those of lists too. Raise BadSource."""
    file.text()
    try:
        documents = load_yaml_documents(file.data, MAX_DOCUMENTS)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadSource(f"{file.name}:{line}", f"This is not YAML: {error.problem}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadSource(file.name, f"This is not YAML that can be read: {' '.join(str(error).split())}.") from error
    for line, value in documents:
        if value is None:
            continue
        if not isinstance(value, Mapping):
            raise BadSource(f"{file.name}:{line}", "A resource of Kubernetes is expected here.")
        resources = objects(value, "items") if str(value.get("kind", "")).endswith("List") else [value]
        for resource in resources:
            name = mapping(resource.get("metadata")).get("name", "")
            yield f"{file.name}:{line} {resource.get('kind', '')} {name}".strip(), resource


def _translate_policy(segmentation: Segmentation, groups: LabelGroups, resource: Mapping[str, Any], place: str) -> None:
    spec, metadata = mapping(resource.get("spec")), mapping(resource.get("metadata"))
    namespace, name = str(metadata.get("namespace") or "default"), str(metadata.get("name") or "policy")
    try:
        own = LabelRequirement(NAMESPACE, (namespace,), False)
        subject = groups.group([own, *requirements_of(spec.get("podSelector"))])
    except Unsayable as error:
        groups.note(place, "podSelector", error, "Draw its policy by hand.")
        return
    directions: tuple[Direction, ...] = ("ingress", "egress")
    default = ["Ingress", *(["Egress"] if "egress" in spec else [])]
    for direction in directions:
        if direction.capitalize() not in (texts(spec.get("policyTypes")) or default):
            continue
        segmentation.isolate(direction, subject)
        for index, rule in enumerate(objects(spec, direction)):
            where = f"{place} {direction}[{index}]"
            try:
                peers = _peers(
                    groups, rule.get("from" if direction == "ingress" else "to"), direction, namespace, where
                )
                ports = port_matches(objects(rule, "ports"), groups.builder, where)
            except Unsayable as error:
                groups.note(where, f"{direction} rule", error, "Add what it allows by hand; it is denied until then.")
                continue
            if ports:
                segmentation.add(f"{namespace} {name} {direction} {index + 1}", where, direction, subject, peers, ports)


def _peers(groups: LabelGroups, peers: Any, direction: Direction, namespace: str, place: str) -> Peers:
    """Return who a rule is about; without peers everybody is. Raise Unsayable where nothing of it can be said."""
    if not peers:
        return Peers(_EVERYONE[direction])
    names: dict[str, None] = {}
    prefixes: list[str] = []
    for peer in objects(peers):
        if isinstance(block := peer.get("ipBlock"), Mapping):
            prefixes += prefixes_of_block(block.get("cidr"), texts(block.get("except")))
            continue
        requirements = requirements_of(peer.get("podSelector"))
        if "namespaceSelector" in peer:
            requirements += requirements_of(peer["namespaceSelector"], of_namespace=True)
        else:
            requirements.append(LabelRequirement(NAMESPACE, (namespace,), False))
        names[groups.group(requirements)] = None
    return Peers(list(names), prefixes)


FORMAT = SourceFormat(
    "kubernetes-policies",
    "Kubernetes and Cilium network policies",
    "NetworkPolicy, CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy as YAML, several documents in a file.",
    (".yaml", ".yml"),
    translate,
    ("segment",),
    max_bytes=8_000_000,
    quick_bytes=1_000_000,
)
