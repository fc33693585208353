"""Many flows at once: a pasted list or table, answered as a table."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.flow_words import packet_text
from portal.pages.object_links import ObjectLinks
from portal.pages.queried_snapshot import QueriedSnapshot, queried_snapshot, query_context
from provisioning.core.formats.csv_text import BadCsv
from provisioning.core.formats.flow_list import MAX_FLOWS, read_flow_text, write_trace_table
from provisioning.core.reach import DELIVERED, FlowQuery
from provisioning.selectors import reachability
from provisioning.selectors.reachability import FlowAnswer

MAX_ROWS = 500
"""Rows that are shown; the table as CSV has all."""
PASSING = DELIVERED | {"local"}
EXAMPLE = "10.1.0.5 -> 10.2.0.1 tcp 443\nsite-berlin -> internet udp 53"


@require_http_methods(["GET", "POST"])
@tenant_page()
def trace_list(request: PageRequest) -> HttpResponse:
    """Show what becomes of each flow of a list. The list is posted: it may be longer than an address."""
    asked = request.POST if request.method == "POST" else request.GET
    queried = queried_snapshot(request, asked.get("version", ""))
    flows, only_denied = asked.get("flows", ""), asked.get("show") == "denied"
    answers: list[FlowAnswer] = []
    wrong = ""
    try:
        answers = reachability.trace_flows(queried.snapshot, read_flow_text(flows))
    except BadCsv as error:
        wrong = f"Line {error.line}: {error.message}"
    chosen = [answer for answer in answers if not (only_denied and _passes(answer))]
    if request.method == "POST" and asked.get("as") == "csv" and answers:
        table = write_trace_table((answer.flow.query, answer.trace, answer.problems) for answer in chosen)
        headers = {"Content-Disposition": 'attachment; filename="traces.csv"'}
        return HttpResponse(table, content_type="text/csv; charset=utf-8", headers=headers)
    context = {
        **query_context(request, queried),
        "flows": flows,
        "example": EXAMPLE,
        "most": MAX_FLOWS,
        "only_denied": only_denied,
        "wrong": wrong,
        "total": len(answers),
        "passing": sum(_passes(answer) for answer in answers),
        "unread": sum(answer.trace is None for answer in answers),
        "chosen": len(chosen),
        "rows": _rows(request, queried, chosen[:MAX_ROWS]),
    }
    return render(request, "pages/trace_list.html", context)


def _passes(answer: FlowAnswer) -> bool:
    return answer.trace is not None and answer.trace["disposition"] in PASSING


def _rows(request: PageRequest, queried: QueriedSnapshot, answers: list[FlowAnswer]) -> list[dict[str, Any]]:
    traces = [answer.trace for answer in answers if answer.trace]
    links = ObjectLinks(queried.root, [trace["rule"] for trace in traces])
    address = reverse("trace", args=[request.tenant.slug])
    return [_row(queried, links, address, answer) for answer in answers]


def _row(queried: QueriedSnapshot, links: ObjectLinks, address: str, answer: FlowAnswer) -> dict[str, Any]:
    query, trace = answer.flow.query, answer.trace
    row: dict[str, Any] = {"number": answer.flow.number, "text": answer.flow.text}
    if query is None or trace is None:
        return {**row, "problems": [problem.message for problem in answer.problems]}
    return {
        **row,
        "from": query.source,
        "to": query.destination,
        "flow": packet_text(trace["packet"]),
        "trace": f"{address}?{urlencode(_trace_query(queried, query))}",
        "state": trace["disposition"],
        "rule": trace["rule"] or "",
        "url": links.rule(trace["rule"]),
        "chain": ", ".join(trace["chain"]),
        "blockers": trace["blockers"],
    }


def _trace_query(queried: QueriedSnapshot, query: FlowQuery) -> dict[str, Any]:
    """Return the query of the trace page for one of the flows."""
    fields = {
        "from": query.source,
        "to": query.destination,
        "protocol": query.protocol,
        "port": query.port,
        "from_segment": query.from_segment or query.segment,
        "to_segment": query.to_segment or query.segment,
        "via": ",".join(query.via),
        "avoid": ",".join(query.avoid),
        **{name: getattr(query, name) for name in ("source_port", "icmp_type", "dscp")},
    }
    return {"version": queried.key, **{name: value for name, value in fields.items() if value not in (None, "")}}
