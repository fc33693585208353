"""Every program that the product, the tests and the documents start comes with set-up, or with every Debian."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from portal.local.setup import PROGRAMS_BY_PURPOSE, SYSTEM_PACKAGES
from tests.programs import ESSENTIAL_PROGRAMS, PROVIDED_PROGRAMS, link_programs
from tests.started_programs import (
    StartedProgram,
    programs_of_line,
    started_in_code,
    started_in_documents,
)

# Started only where they are there; the code goes another way, or says what to do, where they are not.
OPTIONAL_PROGRAMS = {
    "apt-get": "set-up on another system than Debian says which packages to install",
    "sudo": "the same, without rights to install",
    "initdb": "PostgreSQL comes in a wheel; a machine's own is the last resort",
    "redis-server": "Redis comes in a wheel; a machine's own is the last resort",
}
# What a reader of README.md has before anything else.
PREREQUISITES = ("make", "python3")
# How to start each for a moment, changing nothing.
TRIALS = {
    "nft": ["--version"],
    "ping": ["-V"],
    "ip": ["-V"],
    "nsenter": ["--version"],
    "curl": ["--version"],
    "chromium": ["--version"],
    "node": ["--version"],
    "npm": ["--version"],
    "sh": ["-c", "true"],
    "sleep": ["0"],
    "true": [],
}


def not_provided(started: list[StartedProgram], *provided: str) -> dict[str, list[str]]:
    """Return what is started and in none of the lists, with the places that start it."""
    missing: dict[str, list[str]] = {}
    for program in started:
        if program.name not in provided:
            missing.setdefault(program.name, []).append(program.where)
    return missing


def test_every_program_that_the_code_starts_comes_with_set_up() -> None:
    started = started_in_code()
    assert {"nft", "ping", "nsenter", "sh", "chromium", "node"} <= {program.name for program in started}
    assert not_provided(started, *ESSENTIAL_PROGRAMS, *PROVIDED_PROGRAMS, *OPTIONAL_PROGRAMS) == {}


def test_every_program_that_the_documents_name_comes_with_set_up_of_the_demo() -> None:
    started = started_in_documents()
    assert {"make", "ping", "curl"} <= {program.name for program in started}
    assert not_provided(started, *ESSENTIAL_PROGRAMS, *PROGRAMS_BY_PURPOSE["demo"], *PREREQUISITES) == {}


def test_a_program_in_no_list_is_found_by_its_name() -> None:
    line = ".venv/bin/python manage.py lab exec acme office -- nc -z 10.0.0.1 80 && sh x  # not socat"
    assert list(programs_of_line(line)) == ["nc", "sh"]
    assert not_provided([StartedProgram("nc", "a.py:1"), StartedProgram("sh", "a.py:2")], "sh") == {"nc": ["a.py:1"]}


def test_set_up_knows_the_package_of_every_program_that_it_provides() -> None:
    assert {program for programs in PROGRAMS_BY_PURPOSE.values() for program in programs} <= set(SYSTEM_PACKAGES)
    assert set(PROVIDED_PROGRAMS) <= set(TRIALS)


@pytest.mark.parametrize("program", sorted(TRIALS))
def test_a_program_runs_with_nothing_else_on_the_path(program: str, tmp_path: Path) -> None:
    link_programs(tmp_path)
    if not (tmp_path / program).exists():
        pytest.skip(f"{program} is missing (make setup PURPOSE=test installs it)")
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    done = subprocess.run([program, *TRIALS[program]], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
    assert "not found" not in done.stderr


def test_the_tests_themselves_find_no_other_program() -> None:
    folders = os.environ["PATH"].split(os.pathsep)
    reachable = {program.name for folder in folders for program in Path(folder).iterdir()}
    assert reachable <= {*ESSENTIAL_PROGRAMS, *PROVIDED_PROGRAMS}
