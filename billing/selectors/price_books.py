"""The price books of a tenant and of a seller."""

from __future__ import annotations

from typing import Any

from billing.core.meters import METERS
from billing.core.price_books import PriceBookValue as BookValue
from billing.models import PriceBook
from tenants.models import Msp, Tenant
from tenants.scope import current_tenant


def price_book_of(tenant: Tenant) -> PriceBook | None:
    """Return the book that the tenant's MSP, or for a direct tenant the operator, has for it; None without one."""
    return PriceBook.objects.select_related("seller").filter(buyer_tenant=tenant).first()


def currency_of(tenant: Tenant) -> str | None:
    """Return the currency of a tenant's amounts: its price book's, without one the one it wants, or None."""
    book = price_book_of(tenant)
    return book.currency if book else tenant.currency or None


def price_book_value(book: PriceBook) -> BookValue:
    versions = book.versions.order_by("effective_from")
    return BookValue(book.name, book.currency, tuple(version.value for version in versions))


def own_price_book() -> dict[str, Any] | None:
    """Return the tenant's own price book, as in ``price_books_sold_by``; None without one."""
    book = price_book_of(current_tenant())
    return _price_book_json(book) if book else None


def price_books_sold_by(seller: Msp | None) -> list[dict[str, Any]]:
    """Return the books of a seller (None: the operator), by name; for its own people only.

    ``{"id", "name", "seller", "buyer", "currency", "versions": [{"number", "effective_from", "note", "rates":
    [{"meter", "label", "unit", "where", "price"}]}]}``, newest version first. ``price`` as in core/price_shapes.py.
    """
    books = PriceBook.objects.select_related("seller", "buyer_msp", "buyer_tenant").filter(seller=seller)
    return [_price_book_json(book) for book in books.prefetch_related("versions")]


def _price_book_json(book: PriceBook) -> dict[str, Any]:
    return {
        "id": str(book.uid),
        "name": book.name,
        "seller": book.seller_name,
        "buyer": str(book.buyer_msp or book.buyer_tenant),
        "currency": book.currency,
        "versions": [
            {
                "number": version.number,
                "effective_from": version.effective_from,
                "note": version.note,
                "rates": [
                    {**rate, "label": METERS[rate["meter"]].label, "unit": METERS[rate["meter"]].unit}
                    for rate in version.rates
                ],
            }
            for version in reversed(book.versions.all())
        ],
    }
