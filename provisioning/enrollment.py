"""The key a new exchange node shows once; without Django, so that a launcher can hand it to a lab."""

from __future__ import annotations

import hashlib
import hmac


def key(secret: str) -> str:
    """Derived from the installation's SECRET_KEY: every web process knows it and nothing has to be kept."""
    return hmac.new(secret.encode(), b"causeway node enrollment", hashlib.sha256).hexdigest()
