"""What settings name by a text exists."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from portal.celery import app

HANDLERS = [
    *settings.OUTBOX_HANDLERS.values(),
    settings.PLAN_PRICER,
    settings.CURRENCY_RULE,
    settings.LIFECYCLE_DIMENSIONS,
]


@pytest.mark.parametrize("path", HANDLERS)
def test_a_handler_is_a_function_at_its_path(path: str) -> None:
    assert callable(import_string(path))


@pytest.mark.parametrize("name", settings.CELERY_BEAT_SCHEDULE)
def test_a_line_of_the_schedule_names_a_task_and_when_its_messages_expire(name: str) -> None:
    app.loader.import_default_modules()
    line: Any = settings.CELERY_BEAT_SCHEDULE[name]
    assert line["task"] in app.tasks
    assert line["options"]["expires"] > 0
