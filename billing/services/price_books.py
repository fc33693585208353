"""Publish price books."""

from __future__ import annotations

from datetime import datetime

from billing.core.price import InvalidPrice
from billing.core.price_books import PriceBookVersionValue, Rate
from billing.models import PriceBook, PriceBookVersion
from tenants.models import Tenant


def publish_version(
    book: PriceBook, effective_from: datetime, rates: list[Rate], *, note: str = "", author: str = ""
) -> PriceBookVersion:
    """Add a dated version to a book.

    Raises InvalidPrice when the date is not later than that of the newest version, or two rates price the same usage.
    """
    newest = book.versions.order_by("-effective_from").first()
    if newest and effective_from <= newest.effective_from:
        raise InvalidPrice(
            f"{book.name} has prices from {newest.effective_from:%Y-%m-%d %H:%M} UTC; a new version must begin later."
        )
    PriceBookVersionValue("new", effective_from, tuple(rates))  # refuses rates that contradict each other
    return PriceBookVersion.objects.create(
        book=book,
        number=newest.number + 1 if newest else 1,
        effective_from=effective_from,
        rates=[rate.to_data() for rate in rates],
        note=note,
        author=author,
    )


def copy_price_book(tenant: Tenant, like: str, at: datetime) -> PriceBook:
    """Create a tenant's first price book from the prices in force in the book named ``like`` of the same seller.

    Raises InvalidPrice when the seller has no such book, it has no prices yet, or is in another currency than the
    tenant's.
    """
    source = PriceBook.objects.filter(seller=tenant.msp, buyer_tenant__isnull=False, name=like).first()
    version = source.versions.filter(effective_from__lte=at).order_by("-effective_from").first() if source else None
    if source is None or version is None:
        raise InvalidPrice(f"There is no price book “{like}” with prices in force.")
    if tenant.currency not in ("", source.currency):
        raise InvalidPrice(f"“{like}” is in {source.currency}, but {tenant.name} pays in {tenant.currency}.")
    seller = tenant.msp.name if tenant.msp else "Causeway"
    book = PriceBook.objects.create(
        name=f"{seller} for {tenant.name}"[:120], currency=source.currency, seller=tenant.msp, buyer_tenant=tenant
    )
    publish_version(book, at, [Rate.from_data(rate) for rate in version.rates], note=f"As {like}"[:200])
    return book
