"""What billing does: meter usage, compute draft invoices, publish prices, price plans, say
which currency a tenant can have.

All but publishing prices work in the scope of the tenant in force.
"""

from billing.services.currency import check_currency
from billing.services.draft_invoices import update_draft_invoice
from billing.services.plan_prices import estimate_live_cost, price_plan
from billing.services.price_books import copy_price_book, publish_version
from billing.services.usage import MeterJob, meter_usage

__all__ = [
    "MeterJob",
    "check_currency",
    "copy_price_book",
    "estimate_live_cost",
    "meter_usage",
    "price_plan",
    "publish_version",
    "update_draft_invoice",
]
