"""What billing keeps: samples, the books that price them, and the invoice of a month.

Price books are the seller's rows; whoever sells reads them across tenants, through ``selectors.price_book_of`` and
``price_books_sold_by``. Everything else belongs to the tenant in force.
"""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils import timezone

from billing.core import price_books
from billing.core.meters import MAX_UNIT_LENGTH
from billing.core.money import Money
from billing.core.samples import SampleValue
from tenants.models import Msp, Tenant
from tenants.tenant_owned import TenantOwned


class Sample(TenantOwned):
    """``quantity`` of ``meter`` that ``subject`` used from ``window_start`` to ``window_end``; one row for each.

    subject: the address of what was metered (``connector/vpc-prod``); item_uid: the intent object behind it.
    provenance: what it was counted from, ``{"source": "lifecycle", "rows": [id…]}`` or
    ``{"source": "counter", QUANTITY: {segment: n}}`` (``bytes`` or what else the counter counts).
    """

    meter = models.CharField(max_length=40)
    subject = models.CharField(max_length=250)
    item_uid = models.UUIDField(null=True)
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    quantity = models.DecimalField(max_digits=30, decimal_places=12)
    dimensions = models.JSONField(default=dict)
    provenance = models.JSONField(default=dict)
    recorded_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        ordering = ("window_start", "meter", "subject")
        indexes = [models.Index(fields=["tenant", "window_start"], name="sample_by_time")]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "meter", "subject", "window_start"], name="sample_once"),
            models.CheckConstraint(name="sample_not_negative", condition=Q(quantity__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.meter} of {self.subject} at {self.window_start:%Y-%m-%d %H:%M}"

    @property
    def value(self) -> SampleValue:
        return SampleValue(
            self.meter,
            self.subject,
            self.window_start,
            self.window_end,
            self.quantity,
            tuple(self.dimensions.items()),
        )


class Watermark(TenantOwned):
    """The instant up to which a tenant's usage was collected; one row, locked while collecting."""

    until = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="watermark_once")]

    def __str__(self) -> str:
        return f"collected until {self.until:%Y-%m-%d %H:%M}"


class PriceBook(models.Model):
    """What a seller (an MSP; null: the operator) charges one buyer: an MSP, or a tenant."""

    revoked_privileges = "DELETE"
    updatable_columns = ("name",)

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    seller = models.ForeignKey(Msp, models.PROTECT, null=True, blank=True, related_name="+")
    buyer_msp = models.OneToOneField(Msp, models.PROTECT, null=True, blank=True, related_name="+")
    buyer_tenant = models.OneToOneField(Tenant, models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                name="price_book_one_buyer",
                condition=Q(buyer_msp__isnull=False, buyer_tenant__isnull=True, seller__isnull=True)
                | Q(buyer_msp__isnull=True, buyer_tenant__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def seller_name(self) -> str:
        return self.seller.name if self.seller else "Causeway"


class PriceBookVersion(models.Model):
    """The prices of a book from ``effective_from`` until its next version. A trigger forbids changes: invoices name it.

    ``rates`` is a list of ``{"meter", "where": {dimension: value}, "price": {"shape", …}}`` (core/price_books.py).
    """

    revoked_privileges = "UPDATE, DELETE"

    book = models.ForeignKey(PriceBook, models.CASCADE, related_name="versions")
    number = models.IntegerField()
    effective_from = models.DateTimeField()
    rates = models.JSONField()
    note = models.CharField(max_length=200, blank=True)
    author = models.CharField(max_length=254, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("effective_from",)
        constraints = [
            models.UniqueConstraint(fields=["book", "number"], name="price_version_number_once"),
            models.UniqueConstraint(fields=["book", "effective_from"], name="price_version_date_once"),
        ]

    def __str__(self) -> str:
        return f"{self.book.name} {self.label}"

    @property
    def label(self) -> str:
        return f"{self.effective_from:%Y-%m-%d}"

    @property
    def value(self) -> price_books.PriceBookVersionValue:
        return price_books.PriceBookVersionValue(
            str(self.pk), self.effective_from, tuple(map(price_books.Rate.from_data, self.rates))
        )


class Invoice(TenantOwned):
    """What a tenant owes its seller for a period. A draft is computed again and again while its month runs.

    Once it is no draft any more, triggers keep it, its lines and the samples that they charge; only ``state`` goes on.
    """

    DRAFT = "draft"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=40)
    state = models.CharField(max_length=12, default=DRAFT)
    book = models.ForeignKey(PriceBook, models.PROTECT, related_name="+")
    seller_name = models.CharField(max_length=120)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField(default=0)
    sample_count = models.IntegerField(default=0)
    unpriced = models.JSONField(default=list, help_text='[{"meter","subject","quantity","samples"}]: metered, no price')
    computed_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        ordering = ("-period_start",)
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="invoice_number_once"),
            models.UniqueConstraint(
                fields=["tenant", "period_start"], condition=Q(state="draft"), name="invoice_one_draft_a_month"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def total(self) -> Decimal:
        return Money(self.total_minor, self.currency).amount


class InvoiceLine(TenantOwned):
    """One subject at one rate of one price-book version; keeps its uid while its draft is computed again."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    position = models.IntegerField()
    meter = models.CharField(max_length=40)
    label = models.CharField(max_length=200)
    subject = models.CharField(max_length=250)
    item_uid = models.UUIDField(null=True)
    dimensions = models.JSONField(default=dict)
    version = models.ForeignKey(PriceBookVersion, models.PROTECT, related_name="+")
    rate_key = models.CharField(max_length=200, help_text="the dimensions its rate asks for: size=small,kind=aws-vpc")
    price = models.JSONField()
    quantity = models.DecimalField(max_digits=30, decimal_places=12)
    unit = models.CharField(max_length=MAX_UNIT_LENGTH)
    unit_price = models.DecimalField(max_digits=24, decimal_places=12, null=True, help_text="null: several bands")
    bands = models.JSONField(default=list)
    pool_quantity = models.DecimalField(max_digits=30, decimal_places=12)
    pool_minor = models.BigIntegerField()
    amount_minor = models.BigIntegerField()
    explanation = models.TextField()
    sample_count = models.IntegerField()

    class Meta(TenantOwned.Meta):
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "meter", "subject", "version", "rate_key"], name="invoice_line_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.label} of {self.subject}"

    @property
    def amount(self) -> Decimal:
        return Money(self.amount_minor, self.invoice.currency).amount


class LineSample(TenantOwned):
    """The line that charges a sample; a database constraint allows at most one."""

    line = models.ForeignKey(InvoiceLine, models.CASCADE, related_name="charged")
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="charged")

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["sample"], name="sample_charged_once")]

    def __str__(self) -> str:
        return f"{self.sample} on {self.line}"
