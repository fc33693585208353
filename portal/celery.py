"""The Celery application; tasks live beside what they do, in each app's tasks.py."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

from provisioning.process_start import tune_garbage_collection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("causeway")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def _tune_worker(**_: Any) -> None:
    """Once the worker has imported all tasks."""
    tune_garbage_collection()
