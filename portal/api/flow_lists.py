"""Many flows asked at once, as JSON or as a CSV table, in and out."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView
from portal.api.intent_objects import requested_snapshot
from portal.api.pagination import invalid_parameter
from portal.api.parsers import CsvParser, JsonParser
from portal.api.reachability import (
    ASSUME,
    DSCP_HELP,
    ENDPOINT_HELP,
    ICMP_TYPE_HELP,
    SOURCE_PORT_HELP,
    TRACE,
    parse_assumption,
)
from portal.api.renderers import CsvRenderer, FormatParameter, JsonRenderer
from portal.api.schema import query_parameter
from portal.api.schema_fields import list_of, nullable, number, object_schema, text, text_list
from provisioning.core.formats.csv_text import BadCsv
from provisioning.core.formats.flow_list import (
    FLOW_COLUMNS,
    MAX_FLOWS,
    TRACE_COLUMNS,
    ListedFlow,
    read_flow_table,
    read_flows,
    write_trace_table,
)
from provisioning.selectors import reachability

MAX_BODY_BYTES = 8_000_000
FLOW = object_schema(
    "Flow",
    from_=text(ENDPOINT_HELP),
    to=text("the same, or an internet application"),
    protocol=text("a name or number; tcp when left out", required=False),
    port=number("destination port; tcp and udp need one", required=False),
    source_port=number(SOURCE_PORT_HELP, required=False),
    icmp_type=text(ICMP_TYPE_HELP, required=False),
    dscp=text(DSCP_HELP, required=False),
    **{name: text(required=False) for name in ("segment", "from_segment", "to_segment")},
    **{name: text_list("services, exchanges, nodes, connectors", required=False) for name in ("via", "avoid")},
)
FLOW_ANSWER = object_schema(
    "FlowAnswer",
    trace=nullable(TRACE),
    problems=list_of(
        object_schema("FlowProblem", code=text("stable"), path=text("the field", allow_blank=True), message=text()),
        "what is wrong with the question; empty where there is a trace",
    ),
)
DESCRIPTION = f"""Follows up to {MAX_FLOWS:,} flows at once and answers in their order, each with its trace or with what
is wrong with the question. It changes nothing and needs the right to view.

A list of objects as JSON, or a CSV table with the columns {", ".join(FLOW_COLUMNS)} (from and to are enough; via and
avoid with commas between names). `?format=csv`, or Accept, answers a table with the columns {", ".join(TRACE_COLUMNS)}.
A table that was answered can be asked again."""


class FlowListView(FormatParameter, BaseApiView):
    observable = False
    write_right = "view"
    max_body_bytes = MAX_BODY_BYTES
    parser_classes = [JsonParser, CsvParser]
    renderer_classes = [JsonRenderer, CsvRenderer]

    @extend_schema(
        description=DESCRIPTION,
        request={"application/json": type(FLOW)(many=True), "text/csv": OpenApiTypes.STR},
        responses={(200, "application/json"): type(FLOW_ANSWER)(many=True), (200, "text/csv"): OpenApiTypes.STR},
        parameters=[ASSUME, query_parameter("format", "json when left out", enum=("json", "csv"))],
    )
    def post(self, request: Request, **where: Any) -> Response:
        flows = self._flows(request)
        observed_at = parse_assumption(request, self.observable)
        answers = reachability.trace_flows(requested_snapshot(**where), flows, observed_at=observed_at)
        if isinstance(request.accepted_renderer, CsvRenderer):
            table = write_trace_table((answer.flow.query, answer.trace, answer.problems) for answer in answers)
            return Response(table, headers={"Content-Disposition": 'attachment; filename="traces.csv"'})
        return Response(
            [
                {
                    "trace": answer.trace,
                    "problems": [
                        {"code": problem.code, "path": problem.path, "message": problem.message}
                        for problem in answer.problems
                    ],
                }
                for answer in answers
            ]
        )

    def _flows(self, request: Request) -> list[ListedFlow]:
        if not self.raw_body:
            raise ParseError("The body is empty. Send a list of flows, or a table.", "required")
        if isinstance(request.data, bytes):
            try:
                return read_flow_table(request.data)
            except BadCsv as error:
                raise invalid_parameter(f"rows[{error.line}]", error.message, "bad_table") from error
        if not isinstance(request.data, list):
            raise ParseError("Send a list of flows, each an object with from and to.", "wrong_type")
        if len(request.data) > MAX_FLOWS:
            raise ParseError(f"There are more than {MAX_FLOWS:,} flows. Split the list.", "out_of_range")
        return read_flows(request.data)


class LiveFlowListView(FlowListView):
    observable = True


def flow_list_urls(prefix: str, *, live: bool = False) -> list[URLPattern]:
    """Return the URL of many traces below a version of the network."""
    return [path(f"{prefix}traces/", (LiveFlowListView if live else FlowListView).as_view())]
