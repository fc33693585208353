"""Usage, the estimate, invoices and their exports. Amounts and quantities are decimal texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import exports, selectors, services
from portal.api.endpoint import Endpoint
from portal.api.fields import anything, flag, maybe, moment, money, number, several, shape, text
from portal.api.pages import bad, of_values
from portal.api.rendering import CsvRenderer
from portal.api.schema import listed, query
from provisioning.errors import ObjectNotFound

LONGEST = timedelta(days=400)
FORMATS = ("csv",)
USAGE_ASKED = ("from", "to", "meter", "group_by")

THING = shape(
    "Thing",
    address=text("of the resource that was metered"),
    uid=maybe("id of the intent object behind it"),
    kind=maybe(),
    key=text(),
    name=text(),
    title=text(),
)
USAGE_ROW = shape(
    "UsageRow",
    meter=text(),
    label=text(),
    unit=text(),
    key=text("what it is grouped by: a meter, an address, a day, a value"),
    group_label=text(),
    thing=anything("what was used, when grouped by subject"),
    quantity=money(),
    amount=maybe("decimal text; null without a price"),
    samples=number(),
)
USAGE = shape(
    "Usage",
    from_=moment(),
    to=moment(),
    currency=maybe(),
    total=maybe("decimal text"),
    group_by=text(),
    next=maybe("address of the page beside this one"),
    previous=maybe(),
    results=several(USAGE_ROW),
    unpriced=several(USAGE_ROW, "what was used and has no price"),
)
ESTIMATE = shape(
    "Estimate",
    currency=maybe(),
    monthly_after=maybe("what live costs in a month of 730 hours"),
    lines=several(anything()),
    unpriced=several(anything(), required=False),
    note=text(required=False),
)
INVOICE = shape(
    "Invoice",
    id=text(),
    number=text(),
    state=text(),
    period_start=moment(),
    period_end=moment(),
    seller=text(),
    currency=text(),
    total=money(),
    computed_at=moment(),
    sample_count=number(),
    unpriced=several(anything()),
)
LINE = shape(
    "InvoiceLine",
    id=text(),
    position=number(),
    label=text(),
    meter=text(),
    subject=THING,
    dimensions=anything(),
    quantity=money(),
    unit=text(),
    unit_price=maybe("decimal text"),
    average=flag("unit_price is amount by quantity, since several bands apply"),
    amount=money(),
    currency=text(),
    version=text("of the price book"),
    rate=text(),
    price=anything(),
    bands=anything(),
    explanation=text("how the amount came about"),
    sample_count=number(),
)
SAMPLE = shape(
    "Sample",
    id=number(),
    meter=text(),
    subject=text(),
    window_start=moment(),
    window_end=moment(),
    quantity=money(),
    unit=text(),
    dimensions=anything(),
    provenance=anything("the readings or lifecycle it was made from"),
)


class Billing(Endpoint):
    reads = "usage"


class Usage(Billing):
    """What was used in [from, to) and what it costs; the running month when left out."""

    @extend_schema(
        responses=USAGE,
        parameters=[
            query("from", "a date or a moment", OpenApiTypes.DATETIME),
            query("to", "a date or a moment", OpenApiTypes.DATETIME),
            query("meter"),
            query("group_by", "meter, subject, day, hour, or a dimension such as exchange or size"),
        ],
    )
    def get(self, request: Request) -> Response:
        asked, now = request.query_params, timezone.now()
        start = _moment(asked.get("from"), "from") or now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        end = _moment(asked.get("to"), "to") or now
        if not start <= end <= start + LONGEST:
            raise bad("to", f"“to” comes after “from”, at most {LONGEST.days} days.", "out_of_range")
        try:
            found = selectors.usage_report(start, end, asked.get("meter") or None, asked.get("group_by") or "meter")
        except selectors.UnknownGrouping as error:
            raise bad("group_by" if "group" in str(error) else "meter", str(error), "not_one_of") from error
        rows, found["unpriced"] = map(_keyed, (found.pop("rows"), found["unpriced"]))
        return Response({**found, **of_values(request, rows, others=USAGE_ASKED)})


def _keyed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"key": row["group"], **{name: row[name] for name in row if name != "group"}} for row in rows]


class Estimate(Billing):
    """What the network that is there costs in a month."""

    @extend_schema(responses=ESTIMATE)
    def get(self, request: Request) -> Response:
        return Response(services.estimate_live_cost())


class Invoices(Billing):
    """The newest first, without their lines."""

    @listed(INVOICE, "Invoice", filters=("state",))
    def get(self, request: Request) -> Response:
        return Response(of_values(request, selectors.list_invoices(), ("state",)))


class InvoiceEndpoint(Billing):
    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(ObjectNotFound(str(exc)) if isinstance(exc, selectors.UnknownInvoice) else exc)


class OneInvoice(InvoiceEndpoint):
    """An invoice with its lines."""

    @extend_schema(
        responses=shape("InvoiceWithLines", **INVOICE.fields, lines=several(LINE), groups=several(anything()))
    )
    def get(self, request: Request, number: str) -> Response:
        return Response(selectors.get_invoice(number))


class InvoiceLines(InvoiceEndpoint):
    """Each with its cause and its reason; they add up to the total."""

    @listed(LINE, "InvoiceLine", filters=("meter",))
    def get(self, request: Request, number: str) -> Response:
        return Response(of_values(request, selectors.invoice_lines(number), ("meter",)))


class LineSamples(InvoiceEndpoint):
    """What a line charges, sample by sample; their quantities add up to the line's."""

    @listed(SAMPLE, "Sample")
    def get(self, request: Request, number: str, line: UUID) -> Response:
        return Response(of_values(request, selectors.line_samples(number, str(line))))


class Export(InvoiceEndpoint):
    """The invoice as a file for finance."""

    renderer_classes = [CsvRenderer]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """`?format=` says what is wanted, whatever Accept says."""
        return CsvRenderer(), CsvRenderer.media_type

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR}, parameters=[query("format", enum=FORMATS)])
    def get(self, request: Request, number: str) -> Response:
        wanted = request.query_params.get("format", "csv")
        if wanted not in FORMATS:
            raise bad(
                "format", f"There is no export as “{wanted}”; so far there is {', '.join(FORMATS)}.", "not_one_of"
            )
        headers = {"Content-Disposition": f'attachment; filename="invoice-{number}.csv"'}
        return Response(exports.invoice_csv(number), headers=headers)


def _moment(text: str | None, name: str) -> datetime | None:
    if not text:
        return None
    try:
        moment, day = parse_datetime(text), parse_date(text)
    except ValueError as error:
        raise bad(name, f"“{text}” is no date.", "wrong_type") from error
    if moment is None and day is not None:
        moment = datetime(day.year, day.month, day.day)
    if moment is None:
        raise bad(name, f"“{text}” is no date; write 2026-11-01 or 2026-11-01T00:00:00Z.", "wrong_type")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
