"""Passwords and keys of one installation, made once and kept in its data folder, readable by its owner only."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SecretFile:
    """Values by name; a name asked for the first time gets a new random value, kept from then on."""

    file: Path

    def get(self, name: str) -> str:
        return self._get_or_create(name, secrets.token_urlsafe(24))

    def fernet(self, name: str) -> str:
        """A key in Fernet's format: 32 random bytes, URL-safe base64."""
        return self._get_or_create(name, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

    def readable(self, name: str) -> str:
        """A password a person can type: four groups of four letters and digits without look-alikes."""
        alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
        return self._get_or_create(
            name, "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))
        )

    def _get_or_create(self, name: str, fresh: str) -> str:
        kept: dict[str, str] = json.loads(self.file.read_text()) if self.file.exists() else {}
        if name not in kept:
            kept[name] = fresh
            write_private(self.file, json.dumps(kept, indent=1))
        return kept[name]


def write_private(file: Path, text: str) -> None:
    """Write whole or not at all, never readable by others for a moment."""
    fresh = file.with_suffix(file.suffix + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    fresh.replace(file)
