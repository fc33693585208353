"""Label selectors of Kubernetes as groups: a pod's attachment has its labels, and those of its namespace as
``namespace.KEY``; ``namespace`` is the namespace's name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provisioning.core.translators.json_source import mapping, objects, texts
from provisioning.core.translators.translation import TranslationBuilder
from provisioning.core.values.labels import BadLabel, LabelRequirement, parse_selector

NAMESPACE = "namespace"
_CILIUM_NAMESPACE = "io.kubernetes.pod.namespace"
_CILIUM_NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
_NAME_OF_NAMESPACE = "kubernetes.io/metadata.name"
_OPERATORS = {"In": False, "NotIn": True, "Exists": False, "DoesNotExist": True}


class Unsayable(Exception):
    """Something that cannot be said; its text is why."""


class LabelGroups:
    """Groups by selector, each made once."""

    def __init__(self, builder: TranslationBuilder) -> None:
        self.builder = builder
        self._groups: dict[str, str] = {}

    @property
    def made(self) -> int:
        return len(self._groups)

    def note(self, place: str, says: str, error: Unsayable, remedy: str) -> None:
        self.builder.note("left_out", place, says, str(error), remedy)

    def group(self, requirements: Iterable[LabelRequirement]) -> str:
        """Return the group of what meets all requirements; without any: of everything in a namespace."""
        texts = sorted({str(requirement) for requirement in requirements}) or [NAMESPACE]
        try:
            selector = str(parse_selector(", ".join(texts)))
        except BadLabel as error:
            raise Unsayable(str(error)) from error
        if len(selector) > 500:
            raise Unsayable("The selector has more than 500 characters.")
        if selector not in self._groups:
            name = selector.removeprefix(f"{NAMESPACE}=") if "," not in selector else selector
            self._groups[selector] = self.builder.add("groups", name, selector=selector)
        return self._groups[selector]


def requirements_of(selector: Any, *, of_namespace: bool = False) -> list[LabelRequirement]:
    """Return the requirements of a label selector. Raise Unsayable where one has another operator."""
    found = [
        LabelRequirement(_key(str(key), of_namespace), (str(value),), False)
        for key, value in mapping(mapping(selector).get("matchLabels")).items()
    ]
    for expression in objects(selector, "matchExpressions"):
        operator, values = str(expression.get("operator")), texts(expression.get("values"))
        if operator not in _OPERATORS:
            raise Unsayable(f"The operator {operator} is unknown.")
        key, needs_values = _key(str(expression.get("key")), of_namespace), operator in ("In", "NotIn")
        if needs_values and not values:
            raise Unsayable(f"{operator} names no values.")
        found.append(
            LabelRequirement(key, tuple(sorted(map(str, values))) if needs_values else (), _OPERATORS[operator])
        )
    return found


def _key(key: str, of_namespace: bool) -> str:
    key = key.removeprefix("k8s:").removeprefix("any:")
    if key == _CILIUM_NAMESPACE:
        return NAMESPACE
    if key.startswith(_CILIUM_NAMESPACE_LABELS):
        key, of_namespace = key.removeprefix(_CILIUM_NAMESPACE_LABELS), True
    if of_namespace:
        return NAMESPACE if key == _NAME_OF_NAMESPACE else f"{NAMESPACE}.{key}"
    return key
