"""The PATH of the tests: the programs that set-up provides and a few of Debian's essential packages, nothing else.

Loaded before everything else (``-p tests.programs`` in pyproject.toml). A test, or a process it starts, that runs a
program which happens to be installed here but comes with nothing fails with that program's name, here as on a new
machine.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from portal.local.setup import CACHE, PROGRAMS_BY_PURPOSE

# Part of every Debian ("Essential: yes"): what our code starts, then what Debian's launcher of Chromium starts.
ESSENTIAL_PROGRAMS = (
    *("sh", "sleep", "true"),
    *("cut", "expr", "find", "findmnt", "grep", "ls", "mktemp", "tr", "uname"),
)
# Set-up takes these from this machine when they are new enough, and from a wheel into .cache/node where not.
NODE_PROGRAMS = ("node", "npm")
PROVIDED_PROGRAMS = (*PROGRAMS_BY_PURPOSE["test"], *NODE_PROGRAMS)


def search_path() -> str:
    """Where programs of this machine and of set-up lie; Debian keeps some where an ordinary PATH does not look."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin", str(CACHE / "node" / "bin")])


def node_or_skip() -> str:
    """Return the path of Node.js; skip the test where it is missing."""
    node = shutil.which("node", path=search_path())
    if not node:
        pytest.skip("Node.js is missing (make setup takes it from a wheel)")
    return node


def link_programs(folder: Path) -> None:
    """Fill the folder with a link to each permitted program that this machine has."""
    path = search_path()
    for name in (*ESSENTIAL_PROGRAMS, *PROVIDED_PROGRAMS):
        if program := shutil.which(name, path=path):
            (folder / name).symlink_to(program)


def _restrict_path() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="causeway-programs-"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link_programs(folder)
    os.environ["PATH"] = str(folder)
    return folder


PROGRAM_FOLDER = _restrict_path()
