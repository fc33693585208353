"""Can A reach B, and why; and what A can reach at all. Asked of a draft, of live or of an old revision."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.endpoint import Endpoint
from portal.api.fields import choice, maybe, nullable, number, several, shape, text, texts
from portal.api.intent import view_of
from portal.api.pages import bad, of_values
from portal.api.schema import listed, query
from provisioning.selectors import reach

DISPOSITIONS = (
    *("delivered", "delivered_inspected", "local", "denied_by_rule", "denied_by_stance", "denied_by_service"),
    *("denied_spoofed", "no_route", "isolated", "service_unavailable", "connector_down"),
)
HOP = shape(
    "Hop",
    kind=choice(("connector", "node", "service", "internet")),
    name=text(),
    detail=text("what it is there"),
    reason=text("why the packet goes on or stops"),
)
TRACE = shape(
    "Trace",
    disposition=choice(DISPOSITIONS),
    hops=several(HOP),
    rule=maybe("id of the rule that decided"),
    return_=nullable(shape("TraceReturn", disposition=choice(DISPOSITIONS), hops=several(HOP))),
)
REACHED = shape(
    "Reached",
    from_=texts("groups and connectors"),
    to=texts("groups, connectors, “any” or “internet”"),
    segment=text(),
    protocol=text(),
    ports=texts("empty: all"),
    via=texts("services passed, in order"),
    rule=maybe("null: the segment's stance allows it"),
    example=shape("ExamplePacket", source=text(), destination=text(), protocol=text(), port=number(allow_null=True)),
)
ENDS = "a connector (id, name or key), an address, connector@address, or internet"


class TraceQuery(serializers.Serializer):
    protocol = serializers.CharField(default="tcp", max_length=10)
    port = serializers.IntegerField(required=False, default=None, min_value=0, max_value=65535)
    segment = serializers.CharField(required=False, default=None)
    assume = serializers.ChoiceField(("healthy", "observed"), default="healthy")

    def get_fields(self) -> dict[str, Any]:
        ends = {name: serializers.CharField(max_length=200) for name in ("from", "to")}
        return {**ends, **super().get_fields()}


class Trace(Endpoint):
    """Follows one flow hop by hop, there and back. `assume=observed` works for live only."""

    observable = False

    @extend_schema(
        responses=TRACE,
        parameters=[
            query("from", ENDS, required=True),
            query("to", ENDS, required=True),
            query("protocol", "any name or number; tcp when left out"),
            query("port", "destination port; tcp and udp need one", int),
            query("segment", "the first that both ends are in, when left out"),
            query("assume", "healthy when left out", enum=("healthy", "observed")),
        ],
    )
    def get(self, request: Request, **where: Any) -> Response:
        asked = TraceQuery(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        told = asked.validated_data
        if told["assume"] == "observed" and not self.observable:
            raise bad("assume", "Only live can be asked as observed.", "not_one_of")
        protocol = told["protocol"].lower()
        return Response(
            reach.trace(
                view_of(**where),
                told["from"],
                told["to"],
                protocol=int(protocol) if protocol.isdecimal() else protocol,
                port=told["port"],
                segment=told["segment"] or None,
                observed_at=timezone.now() if told["assume"] == "observed" else None,
            )
        )


class LiveTrace(Trace):
    observable = True


class Reach(Endpoint):
    """Everything that a connector or a group can reach, and how: rectangles of flows with an example packet each."""

    @listed(REACHED, "Reached", filters=("from",))
    def get(self, request: Request, **where: Any) -> Response:
        source = request.query_params.get("from")
        if not source:
            raise bad("from", "Name a connector or a group, or say any.", "required")
        return Response(of_values(request, reach.reach(view_of(**where), source), others=("from",)))
