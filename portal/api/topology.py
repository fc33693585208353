"""The live network as it is drawn."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.endpoint import Endpoint
from portal.api.fields import anything, choice, flag, moment, number, several, shape, text
from provisioning.selectors.topology import topology

STATES = ("up", "degraded", "down", "pending")
TOPOLOGY = shape(
    "Topology",
    revision=number(),
    at=moment(),
    simulated=flag("exchanges are a simulation: no packets flow here"),
    nodes=several(
        shape(
            "TopologyNode",
            id=text("as edges name it"),
            uid=text("id of the intent object"),
            kind=choice(("exchange", "connector", "service")),
            name=text(),
            state=choice(STATES),
        ),
        "each kind has more fields",
    ),
    edges=several(
        shape(
            "TopologyEdge",
            id=text("as the socket's rates name it"),
            kind=choice(("circuit", "mesh")),
            from_=text(),
            to=text(),
            state=choice(STATES),
            rates=several(anything(), "bits per second, forth and back"),
        )
    ),
)


class Topology(Endpoint):
    """Nodes and edges with their state and last rates; live changes come on the socket."""

    @extend_schema(responses=TOPOLOGY)
    def get(self, request: Request) -> Response:
        return Response(topology(timezone.now()))
