"""The outbox: messages that leave a transaction, to wake a task or tell a browser.

They are written with the rows they are about and delivered once these are committed; the sweep delivers what a process
that died in between left. Receivers tolerate a second delivery.

Handlers are named in ``settings.OUTBOX_HANDLERS`` (topic → dotted path), so that lower layers need not import them.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from tenants import scope
from tenants.models import Outbox

logger = logging.getLogger(__name__)


def enqueue(topic: str, **payload: Any) -> None:
    """Deliver ``payload`` (with the slug of the tenant in force) to the topic's handler after the commit."""
    if topic not in settings.OUTBOX_HANDLERS:
        raise KeyError(topic)
    message = Outbox.objects.create(topic=topic, payload={"tenant": scope.current_tenant().slug, **payload})
    transaction.on_commit(partial(_deliver, message))


def deliver_overdue(now: datetime) -> int:
    """Deliver what crashed processes left behind; return how many messages."""
    overdue = list(Outbox.objects.filter(created_at__lt=now - timedelta(seconds=5)).order_by("pk")[:500])
    for message in overdue:
        _deliver(message)
    return len(overdue)


def _deliver(message: Outbox) -> None:
    try:
        import_string(settings.OUTBOX_HANDLERS[message.topic])(**message.payload)
    except Exception:
        # The transaction is committed, so its caller must not get an error: the row stays and the sweep tries again.
        logger.exception("outbox: %s %s not delivered yet", message.topic, message.payload)
        return
    Outbox.objects.filter(pk=message.pk).delete()
