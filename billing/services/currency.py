"""The currency of a tenant: that of its price book, which alone decides what is charged; nothing is converted."""

from __future__ import annotations

from billing import selectors
from billing.core.money import MINOR_DIGITS
from tenants.errors import TenantRequestRefused
from tenants.scope import current_tenant


def check_currency(currency: str) -> None:
    """Raise TenantRequestRefused where the tenant in force cannot have it; "" leaves it to the first price book.

    The setting CURRENCY_RULE names this.
    """
    if currency and currency not in MINOR_DIGITS:
        detail = f"“{currency}” is no currency that is sold in. Use one of {', '.join(MINOR_DIGITS)}."
        raise TenantRequestRefused(400, "not_one_of", "currency", detail)
    book = selectors.price_book_of(current_tenant())
    if book and currency not in ("", book.currency):
        detail = (
            f"The price book “{book.name}” is in {book.currency}, and amounts are not converted. "
            f"Ask {book.seller_name} for a price book in {currency}."
        )
        raise TenantRequestRefused(409, "wrong_state", "currency", detail)
