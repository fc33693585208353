"""The live network as it is drawn."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.endpoint import Endpoint
from portal.api.fields import choice, flag, moment, number, several, shape, text
from provisioning.selectors.topology import load_topology

STATES = ("up", "degraded", "down", "pending")
NODE = shape(
    "TopologyNode",
    id=text("as edges name it"),
    uid=text("id of the intent object"),
    kind=choice(("exchange", "connector", "service")),
    name=text(),
    state=choice(STATES),
)
EDGE = shape(
    "TopologyEdge",
    id=text("as the socket's rates name it"),
    kind=choice(("circuit", "mesh")),
    from_=text(),
    to=text(),
    state=choice(STATES),
    rates=several(number(), "bits per second, forth and back"),
)
TOPOLOGY = shape(
    "Topology",
    revision=number(),
    at=moment(),
    simulated=flag("exchanges are a simulation: no packets flow here"),
    nodes=several(NODE, "each kind has more fields"),
    edges=several(EDGE),
)
HEALTH = shape("Health", at=moment(), state=choice(STATES, "the worst there is"), nodes=several(NODE))


class Topology(Endpoint):
    """Nodes and edges with their state and last rates; live changes come on the socket."""

    @extend_schema(responses=TOPOLOGY)
    def get(self, request: Request) -> Response:
        return Response(load_topology(timezone.now()))


class Health(Endpoint):
    """The state of everything that is live, without what flows."""

    @extend_schema(responses=HEALTH)
    def get(self, request: Request) -> Response:
        drawn = load_topology(timezone.now())
        nodes = [{name: node[name] for name in NODE.fields} for node in drawn["nodes"]]
        states = {node["state"] for node in nodes}
        worst = next((state for state in ("down", "degraded", "pending") if state in states), "up")
        return Response({"at": drawn["at"], "state": worst, "nodes": nodes})
