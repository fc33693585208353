"""The topology and health of the live network."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView
from portal.api.schema_fields import boolean, choice, list_of, number, object_schema, text, timestamp
from provisioning.selectors.topology import load_topology

STATES = ("up", "degraded", "down", "pending")
NODE = object_schema(
    "TopologyNode",
    id=text("as edges name it"),
    uid=text("id of the intent object"),
    kind=choice(("exchange", "connector", "service")),
    name=text(),
    state=choice(STATES),
)
EDGE = object_schema(
    "TopologyEdge",
    id=text("as the socket's rates name it"),
    kind=choice(("circuit", "mesh")),
    from_=text(),
    to=text(),
    state=choice(STATES),
    rates=list_of(number(), "bits per second, forth and back"),
)
TOPOLOGY = object_schema(
    "Topology",
    revision=number(),
    at=timestamp(),
    simulated=boolean("exchanges are simulated: no packets flow"),
    nodes=list_of(NODE, "each kind has more fields"),
    edges=list_of(EDGE),
)
HEALTH = object_schema("Health", at=timestamp(), state=choice(STATES, "the worst there is"), nodes=list_of(NODE))


class TopologyView(BaseApiView):
    """Nodes and edges with their state and last rates; live changes come on the socket."""

    @extend_schema(responses=TOPOLOGY)
    def get(self, request: Request) -> Response:
        return Response(load_topology(timezone.now()))


class HealthView(BaseApiView):
    """The state of the live network's nodes, without traffic rates."""

    @extend_schema(responses=HEALTH)
    def get(self, request: Request) -> Response:
        topology = load_topology(timezone.now())
        nodes = [{name: node[name] for name in NODE.fields} for node in topology["nodes"]]
        states = {node["state"] for node in nodes}
        worst = next((state for state in ("down", "degraded", "pending") if state in states), "up")
        return Response({"at": topology["at"], "state": worst, "nodes": nodes})
