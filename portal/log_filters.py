"""What the log leaves out."""

from __future__ import annotations

import logging


class RefusedInOneLine(logging.Filter):
    """Leave the traceback out of what Django logs about suspicious requests: anybody may send any number of them."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True
