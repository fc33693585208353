"""The Celery application; tasks live beside what they do, in each app's tasks.py."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready
from kombu.transport import redis

from provisioning.process_start import tune_garbage_collection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("causeway")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Messages only wake: the rows say what there is to do, and the sweep finds what a lost message was about. So none is
# kept in Redis until it is acknowledged. Putting such messages back when Redis has gone ends the worker: kombu's
# Channel.close asks its dead connection for an address.
redis.Channel.ack_emulation = redis.Channel.do_restore = False


@worker_ready.connect
def _tune_worker(**_: Any) -> None:
    """Once the worker has imported all tasks."""
    tune_garbage_collection()
