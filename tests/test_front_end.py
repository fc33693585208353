"""The front end's own tests (``static/test``, Node.js's test runner), a test for each file; what templates load."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.programs import node_or_skip

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(file for file in (ROOT / "static" / "test").glob("*.test.*") if file.suffix in (".js", ".mjs"))


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_front_end_scripts_pass_their_own_tests(file: Path) -> None:
    result = subprocess.run([node_or_skip(), "--test", str(file)], cwd=ROOT / "static", capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_script_that_a_template_loads_has_its_source() -> None:
    """A page whose script has another name looks right and does nothing."""
    missing = [
        f"{template.relative_to(ROOT)}: {script}"
        for template in sorted((ROOT / "templates").rglob("*.html"))
        for script in re.findall(r"build/([\w-]+)\.js['\"]", template.read_text())
        if not (ROOT / "static" / "src" / f"{script}.js").exists()
    ]
    assert not missing
