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
CHECK_ENV = {
    "DATABASE_URL": "postgres:///check",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "for make check only, not a secret, and long enough",
    "ENCRYPTION_KEYS": "A" * 43 + "=",
}


@dataclass(frozen=True)
class Check:
    name: str
    command: list[str]
    folder: Path = ROOT
    env: dict[str, str] = field(default_factory=dict)


def checks() -> list[Check]:
    python = sys.executable
    found = [
        Check("types (mypy)", [f"{BIN}/mypy", "portal", "tenants", "provisioning", "billing", "tests"], env=CHECK_ENV),
        Check("lint (ruff)", [f"{BIN}/ruff", "check", "."]),
        Check("format (ruff)", [f"{BIN}/ruff", "format", "--check", "."]),
        Check("import rules (import-linter)", [f"{BIN}/lint-imports"]),
        Check("conventions", [python, "-m", "portal.local.conventions"]),
        Check("documentation (mkdocs)", [f"{BIN}/mkdocs", "build", "--quiet"], env={"NO_MKDOCS_2_WARNING": "1"}),
        Check("settings", [python, "manage.py", "check"], env=CHECK_ENV),
        Check("migrations", [python, "manage.py", "makemigrations", "--check", "--dry-run"], env=CHECK_ENV),
    ]
    if any((ROOT / "templates").rglob("*.html")):
        found.append(Check("templates (djlint)", [f"{BIN}/djlint", "templates", "--lint", "--check", "--quiet"]))
    if (ROOT / "static" / "package.json").exists():
        path = os.pathsep.join([os.environ["PATH"], str(ROOT / ".cache" / "node" / "bin")])
        npm = shutil.which("npm", path=path) or "npm"
        found.append(Check("JavaScript (eslint)", [npm, "run", "--silent", "lint"], ROOT / "static", {"PATH": path}))
        found.append(Check("JavaScript tests (node)", [npm, "test", "--silent"], ROOT / "static", {"PATH": path}))
    return found


def run_check(judge: Check) -> bool:
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
        heard = list(pool.map(run_check, checks()))
    return 0 if all(heard) else 1


if __name__ == "__main__":
    sys.exit(main())
