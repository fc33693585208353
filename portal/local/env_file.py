"""The environment of an installation as a file, so that a second terminal needs nothing typed.

``NAME='value'`` lines, readable by the shell too (``set -a; . .demo/env``), mode 0600.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from portal.local.secret_file import write_private


def write_env(data: Path, values: Mapping[str, str]) -> None:
    write_private(data / "env", "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()))


def read_env(data: Path) -> dict[str, str]:
    file = data / "env"
    if not file.exists():
        return {}
    lines = (line.partition("=") for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return {name: "".join(shlex.split(value)) for name, _, value in lines}


def load_env(data: Path) -> None:
    """Load the installation's environment when DATABASE_URL is not set; variables that are set already win."""
    if "DATABASE_URL" in os.environ:
        return
    for name, value in read_env(data).items():
        os.environ.setdefault(name, value)
