"""Price books of the demo.

Northwind pays the operator, its tenants pay Northwind, and direct tenants pay the operator.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from billing import services
from billing.core.price_books import Rate
from billing.core.price_shapes import FlatPrice, GraduatedPrice, Tier
from billing.models import PriceBook
from tenants.models import Msp, Tenant


def ensure_demo_prices(effective_from: datetime | None = None) -> list[PriceBook]:
    """Create a book for every MSP and tenant that has none, and return the new ones.

    They are in force since ``effective_from``, by default since the first day of last year.
    """
    effective_from = effective_from or datetime(timezone.now().year - 1, 1, 1, tzinfo=UTC)
    created = []
    with transaction.atomic():
        for msp in Msp.objects.order_by("pk"):
            if not PriceBook.objects.filter(buyer_msp=msp).exists():
                book = PriceBook.objects.create(name=f"Causeway for {msp.name}", currency="EUR", buyer_msp=msp)
                services.publish_version(book, effective_from, wholesale_rates(), note="Partner prices")
                created.append(book)
        for tenant in Tenant.objects.select_related("msp").order_by("pk"):
            if not PriceBook.objects.filter(buyer_tenant=tenant).exists():
                seller = tenant.msp.name if tenant.msp else "Causeway"
                book = PriceBook.objects.create(
                    name=f"{seller} for {tenant.name}", currency="EUR", seller=tenant.msp, buyer_tenant=tenant
                )
                services.publish_version(book, effective_from, retail_rates(), note="List prices")
                created.append(book)
    return created


# Those of provisioning.catalog, which billing does not read; tests/billing/test_demo.py compares them.
SIZES = ("xsmall", "small", "medium", "large", "2large", "5large", "10large")


def retail_rates() -> list[Rate]:
    """Return prices per hour and per GB, in euro, as a regional network service would list them."""
    return _demo_rates(
        exchange=("0.2600", "0.4200", "0.7800", "1.2500", "2.1000", "4.4000", "7.9000"),
        connector=("0.0450", "0.0820", "0.1450", "0.2900", "0.5200", "1.1500", "2.0500"),
        instance="0.3200",
        out=("0.0240", "0.0210", "0.0160"),
        between="0.0180",
        inspected="0.0180",
    )


def wholesale_rates() -> list[Rate]:
    """Return what an MSP pays for the same."""
    return _demo_rates(
        exchange=("0.1800", "0.3000", "0.5500", "0.8900", "1.5000", "3.1000", "5.6000"),
        connector=("0.0300", "0.0550", "0.0980", "0.1950", "0.3500", "0.7800", "1.4000"),
        instance="0.2200",
        out=("0.0160", "0.0140", "0.0110"),
        between="0.0110",
        inspected="0.0120",
    )


def _demo_rates(
    exchange: tuple[str, ...],
    connector: tuple[str, ...],
    instance: str,
    out: tuple[str, str, str],
    between: str,
    inspected: str,
) -> list[Rate]:
    first, second, rest = map(Decimal, out)
    bands = (Tier(Decimal(1_000), first), Tier(Decimal(10_000), second), Tier(None, rest))
    return [
        *(
            Rate.of("exchange_hours", FlatPrice(Decimal(price)), size=size)
            for size, price in zip(SIZES, exchange, strict=True)
        ),
        *(
            Rate.of("connector_hours", FlatPrice(Decimal(price)), size=size)
            for size, price in zip(SIZES, connector, strict=True)
        ),
        Rate.of("service_instance_hours", FlatPrice(Decimal(instance))),
        Rate.of("gb_exchange_out", GraduatedPrice(bands)),
        Rate.of("gb_between_exchanges", FlatPrice(Decimal(between))),
        Rate.of("gb_inspected", FlatPrice(Decimal(inspected))),
    ]
