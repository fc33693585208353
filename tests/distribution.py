"""How the tests are spread over this machine's cores (pytest-xdist); a choice of tests runs in one process.

A whole run has a worker for each core, up to four. A worker takes whole files, so that what a file starts is started
once. Files with live processes, packets or a browser are begun first: they are the longest and mostly wait, and the
many short ones fill what they leave idle.
"""

from __future__ import annotations

import os

import pytest

MAX_WORKERS = 4
# Fixtures of tests/live_processes.py, tests/browser.py and tests/lab/conftest.py
LIVE_FIXTURES = {"live_portal", "live_worker", "live_aws", "live_nodes", "live_lab", "browser", "session_lab"}


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of workers for ``-n auto``; 0 is a run without workers."""
    cores = len(os.sched_getaffinity(0))
    chosen = config.option.keyword or config.args != config.getini("testpaths")
    return 0 if chosen or config.option.collectonly or cores == 1 else min(cores, MAX_WORKERS)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    live_files = {item.path for item in items if LIVE_FIXTURES.intersection(getattr(item, "fixturenames", ()))}
    items.sort(key=lambda item: item.path not in live_files)
