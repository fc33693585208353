"""Networks of whole documents, as people PUT them: objects name each other in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provisioning.core.intent import KINDS
from tests.core.sample_networks import IntentBuilder

_NAMED_FIRST = (
    "exchanges",
    "segments",
    "groups",
    "billing-tags",
    "prefix-lists",
    "port-lists",
    "connectors",
    "services",
    "internet-apps",
    "shares",
    "policies",
)
"""Kinds in the order in which they name each other; the others name any of these."""


def build_document(document: Mapping[str, Sequence[Mapping[str, Any]]]) -> IntentBuilder:
    """Return the network of a document. A policy without a position comes after the one before it."""
    net = IntentBuilder()
    for kind in (*_NAMED_FIRST, *(kind for kind in KINDS if kind not in _NAMED_FIRST)):
        for number, body in enumerate(document.get(kind, ()), 1):
            net.add(kind, {"position": 10 * number, **body} if kind == "policies" else dict(body))
    assert set(document) <= {*KINDS}, document.keys()
    return net
