"""Exchanges: a pair of routing nodes at a location of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from provisioning.core.intent.fields import CatalogueKey
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind


@dataclass(frozen=True, slots=True)
class Exchange(IntentObject):
    location: Annotated[str, CatalogueKey(offers="locations", filter=True)]
    size: Annotated[
        str, CatalogueKey(offers="sizes", default="small", help="throughput per node", filter=True, in_bulk=True)
    ]


KIND = Kind(
    "exchanges",
    Exchange,
    "exchange",
    "exchanges",
    "A pair of routing nodes near your clouds and sites. Connectors attach to one, and exchanges form a mesh.",
    {"name": "eu", "location": "aws-eu-central-1", "size": "small"},
    counted=True,
)
