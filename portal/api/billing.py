"""Usage, the estimate, invoices and their exports. Amounts and quantities are decimal texts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import exports, selectors, services
from portal.api.base_view import BaseApiView
from portal.api.pagination import invalid_parameter, paginate_values
from portal.api.renderers import CsvRenderer
from portal.api.schema import extend_list_schema, query_parameter
from portal.api.schema_fields import (
    any_json,
    boolean,
    decimal_text,
    list_of,
    number,
    object_schema,
    optional_text,
    text,
    timestamp,
)
from provisioning.errors import ObjectNotFound

FORMATS = ("csv",)
GROUPINGS = (*selectors.USAGE_GROUPINGS, *selectors.OWNER_GROUPINGS)
USAGE_PARAMETERS = ("from", "to", "meter", "group_by")

THING = object_schema(
    "Thing",
    address=text("of the resource that was metered"),
    uid=optional_text("id of the intent object behind it"),
    kind=optional_text(),
    key=text(),
    name=text(),
    title=text(),
)
USAGE_ROW = object_schema(
    "UsageRow",
    meter=text(),
    label=text(),
    unit=text(),
    key=text("what it is grouped by: a meter, an address, a day, a value"),
    group_label=text(),
    thing=any_json("the resource, when grouped by subject"),
    quantity=decimal_text(),
    amount=optional_text("decimal text; null without a price"),
    samples=number(),
)
USAGE = object_schema(
    "Usage",
    from_=timestamp(),
    to=timestamp(),
    currency=optional_text(),
    total=optional_text("decimal text"),
    group_by=text(),
    next=optional_text("address of the page beside this one"),
    previous=optional_text(),
    results=list_of(USAGE_ROW),
    unpriced=list_of(USAGE_ROW, "what was used and has no price"),
)
ESTIMATE = object_schema(
    "Estimate",
    currency=optional_text(),
    monthly_after=optional_text("what live costs in a month of 730 hours"),
    lines=list_of(any_json()),
    unpriced=list_of(any_json(), required=False),
    note=text(required=False),
)
INVOICE = object_schema(
    "Invoice",
    id=text(),
    number=text(),
    state=text(),
    period_start=timestamp(),
    period_end=timestamp(),
    seller=text(),
    currency=text(),
    total=decimal_text(),
    computed_at=timestamp(),
    sample_count=number(),
    unpriced=list_of(any_json()),
)
LINE = object_schema(
    "InvoiceLine",
    id=text(),
    position=number(),
    label=text(),
    meter=text(),
    subject=THING,
    dimensions=any_json(),
    quantity=decimal_text(),
    unit=text(),
    unit_price=optional_text("decimal text"),
    average=boolean("unit_price is amount ÷ quantity, since several bands apply"),
    amount=decimal_text(),
    currency=text(),
    version=text("of the price book"),
    rate=text(),
    price=any_json(),
    bands=any_json(),
    explanation=text("how the amount came about"),
    sample_count=number(),
)
SAMPLE = object_schema(
    "Sample",
    id=number(),
    meter=text(),
    subject=text(),
    window_start=timestamp(),
    window_end=timestamp(),
    quantity=decimal_text(),
    unit=text(),
    dimensions=any_json(),
    provenance=any_json("the readings or lifecycle rows it was computed from"),
)


class BillingView(BaseApiView):
    read_right = "usage"


class UsageView(BillingView):
    """What was used in [from, to) and what it costs; the current month when left out."""

    @extend_schema(
        responses=USAGE,
        parameters=[
            query_parameter("from", "a date or a timestamp", OpenApiTypes.DATETIME),
            query_parameter("to", "a date or a timestamp", OpenApiTypes.DATETIME),
            query_parameter("meter"),
            query_parameter("group_by", f"{', '.join(GROUPINGS)}, or a dimension such as exchange or size"),
        ],
    )
    def get(self, request: Request) -> Response:
        query, now = request.query_params, timezone.now()
        start = _parse_moment(query.get("from"), "from") or now.replace(
            day=1, hour=0, minute=0, second=0, microsecond=0
        )
        end = _parse_moment(query.get("to"), "to") or now
        try:
            selectors.check_period(start, end)
            report = selectors.usage_report(start, end, query.get("meter") or None, query.get("group_by") or "meter")
        except selectors.UnusablePeriod as error:
            raise invalid_parameter(error.field, str(error), "out_of_range") from error
        except selectors.UnknownGrouping as error:
            raise invalid_parameter(
                "group_by" if "group" in str(error) else "meter", str(error), "not_one_of"
            ) from error
        rows, report["unpriced"] = map(_with_row_keys, (report.pop("rows"), report["unpriced"]))
        return Response({**report, **paginate_values(request, rows, others=USAGE_PARAMETERS)})


def _with_row_keys(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"key": row["group"], **{name: row[name] for name in row if name != "group"}} for row in rows]


class EstimateView(BillingView):
    """What the live network costs in a month."""

    @extend_schema(responses=ESTIMATE)
    def get(self, request: Request) -> Response:
        return Response(services.estimate_live_cost())


class InvoiceListView(BillingView):
    """The newest first, without their lines."""

    @extend_list_schema(INVOICE, "Invoice", filters=("state",))
    def get(self, request: Request) -> Response:
        return Response(paginate_values(request, selectors.list_invoices(), ("state",)))


class InvoiceView(BillingView):
    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(ObjectNotFound(str(exc)) if isinstance(exc, selectors.UnknownInvoice) else exc)


class InvoiceDetailView(InvoiceView):
    """An invoice with its lines."""

    @extend_schema(
        responses=object_schema("InvoiceWithLines", **INVOICE.fields, lines=list_of(LINE), groups=list_of(any_json()))
    )
    def get(self, request: Request, number: str) -> Response:
        return Response(selectors.get_invoice(number))


class InvoiceLineListView(InvoiceView):
    """The lines with their subjects and explanations; they add up to the total."""

    @extend_list_schema(LINE, "InvoiceLine", filters=("meter",))
    def get(self, request: Request, number: str) -> Response:
        return Response(paginate_values(request, selectors.invoice_lines(number), ("meter",)))


class LineSampleListView(InvoiceView):
    """The samples that a line charges; their quantities add up to the line's."""

    @extend_list_schema(SAMPLE, "Sample")
    def get(self, request: Request, number: str, line: UUID) -> Response:
        return Response(paginate_values(request, selectors.line_samples(number, str(line))))


class InvoiceExportView(InvoiceView):
    """The invoice as a file for finance."""

    renderer_classes = [CsvRenderer]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """Let `?format=` decide, not the Accept header."""
        return CsvRenderer(), CsvRenderer.media_type

    @extend_schema(
        responses={(200, "text/csv"): OpenApiTypes.STR}, parameters=[query_parameter("format", enum=FORMATS)]
    )
    def get(self, request: Request, number: str) -> Response:
        file_format = request.query_params.get("format", "csv")
        if file_format not in FORMATS:
            raise invalid_parameter(
                "format", f"There is no export as “{file_format}”; use {', '.join(FORMATS)}.", "not_one_of"
            )
        headers = {"Content-Disposition": f'attachment; filename="invoice-{number}.csv"'}
        return Response(exports.invoice_csv(number), headers=headers)


def _parse_moment(text: str | None, name: str) -> datetime | None:
    if not text:
        return None
    try:
        moment, day = parse_datetime(text), parse_date(text)
    except ValueError as error:
        raise invalid_parameter(name, f"“{text}” is no date.", "wrong_type") from error
    if moment is None and day is not None:
        moment = datetime(day.year, day.month, day.day)
    if moment is None:
        raise invalid_parameter(name, f"“{text}” is no date; write 2026-11-01 or 2026-11-01T00:00:00Z.", "wrong_type")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
