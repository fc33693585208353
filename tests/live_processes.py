"""Real processes for tests that look from outside: a portal, a worker, a cloud. The demo starts the very same ones.

They see only what was committed, so each fixture brings ``transactional_db``; rows are removed after the test.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.local import process_specs
from portal.local.redis import free_port
from portal.local.supervisor import ProcessSpec
from provisioning.lab import moto
from tests.servers import SERVERS, TestServers


def run_process(process: ProcessSpec) -> Iterator[None]:
    """Start in the session's supervisor, stop at the end; logs lie in the session's folder."""
    SERVERS.supervisor.start(process)
    yield
    SERVERS.supervisor.stop(process.name)


@pytest.fixture(scope="session")
def live_env(servers: TestServers) -> dict[str, str]:
    """The environment of a serving process: the application's login only, and a pool as in real use."""
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_OWNER_URL", "DATABASE_POOL")}
    return {**env, "PYTHONWARNINGS": "ignore", "LAB_STATE": str(servers.folder / "lab-state.json")}


@pytest.fixture(scope="session")
def _portal(servers: TestServers, django_db_setup: None, live_env: dict[str, str]) -> Iterator[str]:
    port = free_port()
    # Not `yield from`: the process is one, its address is what tests want.
    process = process_specs.portal_process({**live_env, "PUBLIC_URL": f"http://127.0.0.1:{port}"}, port)
    servers.supervisor.start(process)
    yield f"http://127.0.0.1:{port}"
    servers.supervisor.stop(process.name)


@pytest.fixture
def live_portal(transactional_db: None, _portal: str) -> str:
    """The address of a running portal, without a slash at its end."""
    return _portal


@pytest.fixture(scope="module")
def _worker(
    django_db_setup: None, live_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    # One for a module, not the session: its beat would go on looking at the rows of tests that did not ask for it.
    yield from run_process(process_specs.worker_process(live_env, tmp_path_factory.mktemp("worker"), threads=4))


@pytest.fixture
def live_worker(transactional_db: None, _worker: None) -> None:
    """A Celery worker with its beat at the same database and Redis."""


@pytest.fixture(scope="session")
def _aws(servers: TestServers) -> Iterator[str]:
    yield from (servers.aws_url for _ in run_process(process_specs.aws_process(os.environ, servers.aws_port)))


@pytest.fixture
def live_aws(_aws: str) -> str:
    """The endpoint of an empty AWS; the settings of every live process point to it."""
    moto.reset_moto(_aws)
    return _aws


@pytest.fixture(scope="module")
def _lab(_portal: str, live_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    if lacking := process_specs.missing_for_packets(live_env):
        pytest.skip(f"no packets on this machine: it lacks {'; '.join(lacking)}")
    env = {**live_env, "PUBLIC_URL": _portal}
    yield from (env for _ in run_process(process_specs.lab_process(env, tmp_path_factory.mktemp("lab"), traffic=False)))


@pytest.fixture
def live_nodes(live_portal: str, live_aws: str, _lab: dict[str, str]) -> dict[str, str]:
    """Portal, AWS, and every exchange node of the catalogue passing real packets; a test brings its own worker.

    The environment for commands beside it (``manage.py lab exec``). Mark the test ``packets``.
    """
    return _lab


@pytest.fixture
def live_lab(live_nodes: dict[str, str], live_worker: None) -> dict[str, str]:
    """All of it, a worker too."""
    return live_nodes


@pytest.fixture(scope="session")
def server_logs(servers: TestServers) -> Path:
    """Where the servers of this session write their logs."""
    return servers.supervisor.logs
