"""Passwords and keys of one installation, generated once and kept in its data folder, readable by its owner only."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SecretFile:
    """Values by name; a new name gets a new random value, which is kept from then on."""

    file: Path

    def get(self, name: str) -> str:
        return self._get_or_create(name, secrets.token_urlsafe(24))

    def fernet(self, name: str) -> str:
        """Return a key in Fernet's format: 32 random bytes, URL-safe base64."""
        return self._get_or_create(name, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

    def readable(self, name: str) -> str:
        """Return a password that is easy to type: four groups of four letters and digits without look-alikes."""
        alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
        return self._get_or_create(
            name, "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))
        )

    def _get_or_create(self, name: str, new_value: str) -> str:
        secrets_by_name: dict[str, str] = json.loads(self.file.read_text()) if self.file.exists() else {}
        if name not in secrets_by_name:
            secrets_by_name[name] = new_value
            write_private(self.file, json.dumps(secrets_by_name, indent=1))
        return secrets_by_name[name]


def write_private(file: Path, text: str) -> None:
    """Write a file of mode 0600 completely or not at all; others can never read it, not even for a moment."""
    temporary = file.with_suffix(file.suffix + ".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    temporary.replace(file)
