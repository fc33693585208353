"""Trace, reachability and problems of a draft, of live or of an old revision."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import path
from django.urls.resolvers import URLPattern
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView
from portal.api.intent_objects import requested_snapshot
from portal.api.pagination import invalid_parameter, paginate_values, parse_limit, refuse_unknown_parameters
from portal.api.schema import extend_list_schema, query_parameter
from portal.api.schema_fields import (
    boolean,
    choice,
    list_of,
    nullable,
    number,
    object_schema,
    optional_text,
    text,
    text_list,
)
from provisioning.core.formats.flow_list import split_names
from provisioning.core.reach import FlowQuery
from provisioning.core.values.headers import EPHEMERAL_PORT
from provisioning.selectors import reachability
from provisioning.snapshots import queries

DISPOSITIONS = (
    *("delivered", "delivered_inspected", "local", "denied_by_rule", "denied_by_default", "denied_by_service"),
    *("denied_spoofed", "no_route", "isolated", "service_unavailable", "connector_down"),
)
BLOCKER_CODES = (
    *(
        "no_route",
        "no_address",
        "address_family",
        "icmp_type",
        "spoofed_source",
        "route_filtered",
        "route_rejected",
        "nat_untranslated",
        "isolated",
    ),
    *("share_direction", "not_published", "rule_denies", "default_action", "service_denies", "service_unavailable"),
    "connector_down",
)
HOP = object_schema(
    "Hop",
    kind=choice(("connector", "nat", "node", "service", "app", "internet", "address")),
    name=text(),
    detail=text("what it does there"),
    reason=text("why the packet is forwarded or dropped"),
)
BLOCKER = object_schema(
    "Blocker",
    code=choice(BLOCKER_CODES, "stable"),
    object=text("like policies/prod-out; empty where there is none to change"),
    rule=optional_text("id of the rule of a policy or a route policy"),
    message=text(),
    remedy=text("what to change"),
)
WAYPOINT = object_schema(
    "PassedWaypoint",
    kind=choice(("service", "exchange", "node", "connector")),
    name=text(),
    passed=boolean("whether the path, as far as it gets, has it"),
)
PACKET_HEADERS = {
    "protocol": text(),
    "port": number(allow_null=True),
    "source_port": number(allow_null=True),
    "icmp_type": optional_text("by name, or by number where it has none"),
    "dscp": number(),
}
TRACE = object_schema(
    "Trace",
    packet=object_schema("TracedPacket", **PACKET_HEADERS),
    disposition=choice(DISPOSITIONS),
    hops=list_of(HOP),
    rule=optional_text("id of the rule that decided"),
    return_=nullable(object_schema("TraceReturn", disposition=choice(DISPOSITIONS), hops=list_of(HOP))),
    chain=text_list("services passed, in order"),
    segment=text("where the flow starts; empty when unknown"),
    to_segment=text("where it ends: another segment across a share"),
    blockers=list_of(BLOCKER, "all that stops it; empty where it arrives"),
    via=list_of(WAYPOINT, "of those asked about"),
    avoid=list_of(WAYPOINT, "of those asked about"),
)
EXAMPLE = object_schema("ExamplePacket", source=text(), destination=text(), **PACKET_HEADERS)
FLOW_HEADERS = {
    "protocol": text("any, other, a name or a number"),
    "ports": text_list("empty: all"),
    "icmp_types": text_list("by name, or by number where they have none; empty: all"),
    "source_ports": text_list("empty: all"),
    "dscp": text_list("code points, by name where they have one, and spans of them; empty: all"),
}
REACHABLE_FLOWS = object_schema(
    "Reached",
    from_=text_list("groups and connectors"),
    to=text_list("groups, connectors, “any” or “internet”"),
    segment=text(),
    to_segment=optional_text("the other segment, across a share"),
    **FLOW_HEADERS,
    via=text_list("services passed, in order"),
    rule=optional_text("null: the segment's default action allows it"),
    example=EXAMPLE,
)
CHANGED_FLOWS = object_schema(
    "ChangedFlows",
    from_=text_list("groups and connectors"),
    to=text_list("groups, connectors, “any” or “internet”"),
    segment=text(),
    to_segment=optional_text("the other segment, across a share"),
    **FLOW_HEADERS,
    via=text_list("services passed afterwards, in order"),
    example=EXAMPLE,
    rule_before=optional_text("the rule that decided; null: none did"),
    rule_after=optional_text("the rule that decides; null: none does"),
    fate_before=optional_text("the disposition it had; null: there was no such address or share"),
    fate_after=optional_text("the disposition it has; null: there is no such address or share"),
    internet=text("which name in from or to is the internet's; empty: it is at neither end"),
)
DELTA_DIRECTIONS = ("allowed", "blocked", "inspected")
DELTA = object_schema(
    "ReachabilityDelta",
    before=text("as in the query"),
    after=text("as in the query"),
    **{word: list_of(CHANGED_FLOWS) for word in DELTA_DIRECTIONS},
    counts=object_schema("DeltaCounts", **{word: number("all of them") for word in DELTA_DIRECTIONS}),
)
PROBLEM_ROW = object_schema(
    "NetworkProblem",
    code=text("stable, for programs"),
    path=text("like connectors/vpc-prod/attachments[0].prefixes[0]"),
    message=text("what to do about it"),
    severity=choice(("error", "warning"), "errors block a plan"),
)
ENDPOINT_HELP = "a connector (id, name or key), an address, connector@address, or internet"
SOURCE_PORT_HELP = f"{EPHEMERAL_PORT} when left out"
ICMP_TYPE_HELP = "name or number; an echo request when left out"
DSCP_HELP = "number, or a name such as EF; 0 when left out"
WAYPOINTS_HELP = "names of services, exchanges, nodes and connectors, parted by commas: does the path pass them?"
ASSUMPTIONS = ("healthy", "observed")
SNAPSHOT_HELP = "live, revisions/3 or drafts/ID"


class TraceQuerySerializer(serializers.Serializer):
    protocol = serializers.CharField(default="tcp", max_length=10)
    port = serializers.IntegerField(required=False, default=None, min_value=0, max_value=65535)
    source_port = serializers.IntegerField(required=False, default=None, min_value=0, max_value=65535)
    icmp_type = serializers.CharField(required=False, default=None, max_length=40)
    dscp = serializers.CharField(required=False, default=None, max_length=10)
    segment = serializers.CharField(required=False, default=None)
    from_segment = serializers.CharField(required=False, default=None)
    to_segment = serializers.CharField(required=False, default=None)
    via = serializers.CharField(required=False, default="")
    avoid = serializers.CharField(required=False, default="")
    assume = serializers.ChoiceField(ASSUMPTIONS, default="healthy")

    def get_fields(self) -> dict[str, Any]:
        ends = {name: serializers.CharField(max_length=200) for name in ("from", "to")}
        return {**ends, **super().get_fields()}


ASSUME = query_parameter("assume", "healthy when left out; observed: as last reported, live only", enum=ASSUMPTIONS)


class TraceView(BaseApiView):
    """Follows one flow hop by hop, there and back. `assume=observed` works for live only."""

    observable = False

    @extend_schema(
        responses=TRACE,
        parameters=[
            query_parameter("from", ENDPOINT_HELP, required=True),
            query_parameter("to", ENDPOINT_HELP, required=True),
            query_parameter("protocol", "any name or number; tcp when left out"),
            query_parameter("port", "destination port; tcp and udp need one", int),
            query_parameter("source_port", SOURCE_PORT_HELP, int),
            query_parameter("icmp_type", ICMP_TYPE_HELP),
            query_parameter("dscp", DSCP_HELP),
            query_parameter("segment", "the first that both ends are in, when left out"),
            query_parameter("from_segment", "of the source, where a share joins two segments"),
            query_parameter("to_segment", "of the destination"),
            query_parameter("via", WAYPOINTS_HELP),
            query_parameter("avoid", WAYPOINTS_HELP),
            ASSUME,
        ],
    )
    def get(self, request: Request, **where: Any) -> Response:
        query = TraceQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        parameters = query.validated_data
        observed_at = parse_assumption(request, self.observable)
        flow = FlowQuery(
            parameters["from"],
            parameters["to"],
            parameters["protocol"],
            parameters["port"],
            parameters["segment"] or None,
            parameters["from_segment"] or None,
            parameters["to_segment"] or None,
            split_names(parameters["via"]),
            split_names(parameters["avoid"]),
            parameters["source_port"],
            parameters["icmp_type"],
            parameters["dscp"],
        )
        return Response(reachability.trace_flow(requested_snapshot(**where), flow, observed_at=observed_at))


def parse_assumption(request: Request, observable: bool) -> datetime | None:
    """Return the instant as of which states count; None: all are healthy."""
    assume = request.query_params.get("assume", "healthy")
    if assume not in ASSUMPTIONS:
        raise invalid_parameter("assume", f"Ask for {' or '.join(ASSUMPTIONS)}.", "not_one_of")
    if assume == "observed" and not observable:
        raise invalid_parameter("assume", "Only live can be asked as observed.", "not_one_of")
    return timezone.now() if assume == "observed" else None


class LiveTraceView(TraceView):
    observable = True


class ReachabilityView(BaseApiView):
    """What `from` can reach, or what can reach `to`: sets of flows, each with an example packet.

    An end is a group, a connector, an internet application (to), an address or prefix, `any` or `internet`.
    """

    @extend_list_schema(REACHABLE_FLOWS, "Reached", filters=("from", "to"))
    def get(self, request: Request, **where: Any) -> Response:
        source, destination = (request.query_params.get(name) or None for name in ("from", "to"))
        if (source is None) == (destination is None):
            detail = "Give either from or to; use trace for both."
            raise invalid_parameter("from", detail, "required" if source is None else "not_one_of")
        flows = reachability.list_reachable(
            requested_snapshot(**where), str(source or destination), towards=source is None
        )
        return Response(paginate_values(request, flows, others=("from", "to")))


class NetworkProblemListView(BaseApiView):
    """The problems of this version of the network; errors block a plan."""

    @extend_list_schema(PROBLEM_ROW, "NetworkProblem", filters=("severity", "code"))
    def get(self, request: Request, **where: Any) -> Response:
        return Response(
            paginate_values(
                request,
                reachability.list_problems(requested_snapshot(**where), timezone.now().date()),
                ("severity", "code"),
            )
        )


class ReachabilityDeltaView(BaseApiView):
    """What becomes reachable, stops being reachable or passes other services, from one version to another."""

    @extend_schema(
        responses=DELTA,
        parameters=[
            query_parameter("before", f"{SNAPSHOT_HELP}; live when left out"),
            query_parameter("after", SNAPSHOT_HELP, required=True),
            query_parameter("limit", "Flows of each list, at most 1000; 50 when left out.", int),
        ],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, ("before", "after"))
        before, after = request.query_params.get("before") or "live", request.query_params.get("after") or ""
        delta = reachability.reachability_delta(
            _parse_snapshot("before", before), _parse_snapshot("after", after), parse_limit(request)
        )
        return Response({"before": before, "after": after, **delta})


def _parse_snapshot(name: str, text: str) -> queries.Snapshot:
    kind, _, identifier = text.partition("/")
    if kind == "drafts" and identifier:
        return queries.draft_snapshot(identifier.rstrip("/"))
    if kind == "revisions" and identifier.isdecimal() and len(identifier) < 10:
        return queries.revision_snapshot(int(identifier))
    if text != "live":
        raise invalid_parameter(
            name, f"“{text[:60]}” is not a version. Use {SNAPSHOT_HELP}.", "not_one_of" if text else "required"
        )
    return queries.live_snapshot()


def reachability_urls(prefix: str, *, live: bool = False) -> list[URLPattern]:
    """Return the URLs of trace, reachability and problems below a version of the network."""
    return [
        path(f"{prefix}trace/", (LiveTraceView if live else TraceView).as_view()),
        path(f"{prefix}reach/", ReachabilityView.as_view()),
        path(f"{prefix}problems/", NetworkProblemListView.as_view()),
    ]
