"""The key a new exchange node shows; without Django, so that a launcher can hand it to a lab."""

from __future__ import annotations

import hashlib
import hmac


def derive_enrollment_key(secret: str, location: str, index: int) -> str:
    """Of one node only, so that a node cannot enroll as another.

    Derived from the installation's SECRET_KEY: every web process knows it and nothing has to be kept.
    """
    node = f"causeway node enrollment {location}/{index}"
    return hmac.new(secret.encode(), node.encode(), hashlib.sha256).hexdigest()
