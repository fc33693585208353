"""Can A reach B, and why; and what A can reach at all. Asked of a draft, of live or of an old revision."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.urls.resolvers import URLPattern
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.endpoint import Endpoint
from portal.api.fields import choice, maybe, nullable, number, several, shape, text, texts
from portal.api.intent import view_of
from portal.api.pages import bad, limit_of, of_values, refuse_unknown
from portal.api.schema import listed, query
from provisioning.selectors import reachability; from provisioning.snapshots import queries

DISPOSITIONS = (
    *("delivered", "delivered_inspected", "local", "denied_by_rule", "denied_by_stance", "denied_by_service"),
    *("denied_spoofed", "no_route", "isolated", "service_unavailable", "connector_down"),
)
HOP = shape(
    "Hop",
    kind=choice(("connector", "nat", "node", "service", "app", "internet")),
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
    chain=texts("services passed, in order"),
    segment=text("that the flow starts in; empty where unknown"),
    to_segment=text("that it ends in: another one across a share"),
)
EXAMPLE = shape("ExamplePacket", source=text(), destination=text(), protocol=text(), port=number(allow_null=True))
REACHED = shape(
    "Reached",
    from_=texts("groups and connectors"),
    to=texts("groups, connectors, “any” or “internet”"),
    segment=text(),
    to_segment=maybe("where a share leads to another segment"),
    protocol=text(),
    ports=texts("empty: all"),
    via=texts("services passed, in order"),
    rule=maybe("null: the segment's stance allows it"),
    example=EXAMPLE,
)
CHANGED = shape(
    "ChangedFlows",
    from_=texts("groups and connectors"),
    to=texts("groups, connectors, “any” or “internet”"),
    segment=text(),
    to_segment=maybe("where a share leads to another segment"),
    protocol=text(),
    ports=texts("empty: all"),
    via=texts("services passed afterwards, in order"),
    example=EXAMPLE,
    rule_before=maybe("the rule that decided; null: none did"),
    rule_after=maybe("the rule that decides; null: none does"),
    fate_before=maybe("the disposition it had; null: there was no such address or share"),
    fate_after=maybe("the disposition it has; null: there is no such address or share"),
)
WORDS = ("allowed", "blocked", "inspected")
DELTA = shape(
    "ReachabilityDelta",
    before=text("as it was asked"),
    after=text("as it was asked"),
    **{word: several(CHANGED) for word in WORDS},
    counts=shape("DeltaCounts", **{word: number("all of them") for word in WORDS}),
)
PROBLEM_ROW = shape(
    "NetworkProblem",
    code=text("stable, for programs"),
    path=text("like connectors/vpc-prod/attachments[0].prefixes[0]"),
    message=text("what to do about it"),
    severity=choice(("error", "warning"), "errors block a plan"),
)
ENDS = "a connector (id, name or key), an address, connector@address, or internet"
VERSION = "live, revisions/3 or drafts/ID"


class TraceQuery(serializers.Serializer):
    protocol = serializers.CharField(default="tcp", max_length=10)
    port = serializers.IntegerField(required=False, default=None, min_value=0, max_value=65535)
    segment = serializers.CharField(required=False, default=None)
    from_segment = serializers.CharField(required=False, default=None)
    to_segment = serializers.CharField(required=False, default=None)
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
            query("from_segment", "of the source, where a share joins two segments"),
            query("to_segment", "of the destination"),
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
            reachability.trace_flow(
                view_of(**where),
                told["from"],
                told["to"],
                protocol=int(protocol) if protocol.isdecimal() else protocol,
                port=told["port"],
                **{name: told[name] or None for name in ("segment", "from_segment", "to_segment")},
                observed_at=timezone.now() if told["assume"] == "observed" else None,
            )
        )


class LiveTrace(Trace):
    observable = True


class Reach(Endpoint):
    """What `from` can reach, or what can reach `to`: rectangles of flows with an example packet each. An end is a
    group, a connector, an internet application (to), an address or prefix, `any` or `internet`."""

    @listed(REACHED, "Reached", filters=("from", "to"))
    def get(self, request: Request, **where: Any) -> Response:
        source, destination = (request.query_params.get(name) or None for name in ("from", "to"))
        if (source is None) == (destination is None):
            told = "Ask from one end, or to one; a trace goes from one to another."
            raise bad("from", told, "required" if source is None else "not_one_of")
        found = reachability.list_reachable(view_of(**where), str(source or destination), towards=source is None)
        return Response(of_values(request, found, others=("from", "to")))


class Problems(Endpoint):
    """What is wrong with the network of this view; errors block a plan."""

    @listed(PROBLEM_ROW, "NetworkProblem", filters=("severity", "code"))
    def get(self, request: Request, **where: Any) -> Response:
        return Response(of_values(request, reachability.list_problems(view_of(**where)), ("severity", "code")))


class Delta(Endpoint):
    """What becomes reachable, stops being so, or goes through other services, from one version to another."""

    @extend_schema(
        responses=DELTA,
        parameters=[
            query("before", f"{VERSION}; live when left out"),
            query("after", VERSION, required=True),
            query("limit", "Flows of each list, at most 1000; 50 when left out.", int),
        ],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request, ("before", "after"))
        before, after = request.query_params.get("before") or "live", request.query_params.get("after") or ""
        found = reachability.reachability_delta(_version("before", before), _version("after", after), limit_of(request))
        return Response({"before": before, "after": after, **found})


def _version(name: str, text: str) -> queries.Snapshot:
    kind, _, which = text.partition("/")
    if kind == "drafts" and which:
        return queries.draft_snapshot(which.rstrip("/"))
    if kind == "revisions" and which.isdecimal() and len(which) < 10:
        return queries.revision_snapshot(int(which))
    if text != "live":
        raise bad(name, f"“{text[:60]}” is no version. Say {VERSION}.", "not_one_of" if text else "required")
    return queries.live_snapshot()


def paths(prefix: str, *, live: bool = False) -> list[URLPattern]:
    """Questions that every view can be asked."""
    return [
        path(f"{prefix}trace/", (LiveTrace if live else Trace).as_view()),
        path(f"{prefix}reach/", Reach.as_view()),
        path(f"{prefix}problems/", Problems.as_view()),
    ]
