"""``make check``: every check of the code, two at a time; a failure does not stop the others."""

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
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "EMAIL_URL": "smtp://127.0.0.1:1",
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
    all_checks = [
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
        all_checks.append(Check("templates (djlint)", [f"{BIN}/djlint", "templates", "--lint", "--check", "--quiet"]))
    if (ROOT / "static" / "package.json").exists():
        path = os.pathsep.join([os.environ["PATH"], str(ROOT / ".cache" / "node" / "bin")])
        npm = shutil.which("npm", path=path) or "npm"
        all_checks.append(
            Check("JavaScript (eslint)", [npm, "run", "--silent", "lint"], ROOT / "static", {"PATH": path})
        )
        all_checks.append(Check("JavaScript tests (node)", [npm, "test", "--silent"], ROOT / "static", {"PATH": path}))
    return all_checks


def run_check(check: Check) -> bool:
    began = time.monotonic()
    result = subprocess.run(
        check.command,
        cwd=check.folder,
        env={**os.environ, **check.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    passed = result.returncode == 0
    verdict = f"{'ok    ' if passed else 'FAILED'} {check.name} ({time.monotonic() - began:.1f} s)"
    print(verdict if passed else f"{verdict}\n{result.stdout}", flush=True)
    return passed


def main() -> int:
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(run_check, checks()))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
