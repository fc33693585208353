"""``make check``: every judge of the code, two at a time; all of them are heard before the verdict."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent

# Enough for Django to start; nothing connects.
SETTINGS = {
    "DATABASE_URL": "postgres:///check",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "for make check only, not a secret, and long enough",
    "ENCRYPTION_KEYS": "A" * 43 + "=",
}


@dataclass(frozen=True)
class Judge:
    name: str
    command: list[str]
    folder: Path = ROOT
    env: dict[str, str] = field(default_factory=dict)


def judges() -> list[Judge]:
    python = sys.executable
    found = [
        Judge("types (mypy)", [f"{BIN}/mypy", "portal", "tenants", "provisioning", "billing"], env=SETTINGS),
        Judge("lint (ruff)", [f"{BIN}/ruff", "check", "."]),
        Judge("format (ruff)", [f"{BIN}/ruff", "format", "--check", "."]),
        Judge("import rules (import-linter)", [f"{BIN}/lint-imports"]),
        Judge("settings", [python, "manage.py", "check"], env=SETTINGS),
        Judge("migrations", [python, "manage.py", "makemigrations", "--check", "--dry-run"], env=SETTINGS),
    ]
    if any((ROOT / "templates").rglob("*.html")):
        found.append(Judge("templates (djlint)", [f"{BIN}/djlint", "templates", "--lint", "--quiet"]))
    if (ROOT / "static" / "package.json").exists():
        path = os.pathsep.join([os.environ["PATH"], str(ROOT / ".cache" / "node" / "bin")])
        npm = shutil.which("npm", path=path) or "npm"
        found.append(Judge("JavaScript (eslint)", [npm, "run", "--silent", "lint"], ROOT / "static", {"PATH": path}))
        found.append(Judge("JavaScript tests (node)", [npm, "test", "--silent"], ROOT / "static", {"PATH": path}))
    return found


def hear(judge: Judge) -> bool:
    began = time.monotonic()
    done = subprocess.run(
        judge.command,
        cwd=judge.folder,
        env={**os.environ, **judge.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    good = done.returncode == 0
    verdict = f"{'ok    ' if good else 'FAILED'} {judge.name} ({time.monotonic() - began:.1f} s)"
    print(verdict if good else f"{verdict}\n{done.stdout}", flush=True)
    return good


def main() -> int:
    with ThreadPoolExecutor(max_workers=2) as pool:
        heard = list(pool.map(hear, judges()))
    return 0 if all(heard) else 1


if __name__ == "__main__":
    sys.exit(main())
