"""The servers under the tests; loaded before Django's settings are (``-p tests.servers`` in pyproject.toml).

Addresses and passwords are decided here, at import; PostgreSQL and Redis start when the first test asks for them, so
a run of pure tests starts nothing. With DATABASE_URL and DATABASE_OWNER_URL set, that server is used and a database
``test_…`` is made beside the named one (the owner needs CREATEDB); with REDIS_URL set, that Redis.
CAUSEWAY_PG_BIN chooses other PostgreSQL binaries; KEEP_TEST_LOGS=1 leaves the servers' folder, named in the header.

Each worker of pytest-xdist has servers of its own, in a folder of its own inside that folder; on given servers, a
database ``test_…_gw0`` and the Redis database of its number.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from portal.local.postgres import APPLICATION, EPHEMERAL_SETTINGS, OWNER, PostgresCluster
from portal.local.redis import RedisServer, free_port
from portal.local.secret_file import SecretFile
from portal.local.supervisor import ProcessSupervisor

DATABASE = "test_causeway"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")  # "gw0"; empty in the one process of a serial run
FOLDER_VARIABLE = "CAUSEWAY_TEST_FOLDER"  # tells a worker the folder of the session


class TestServers:
    """One per test session; everything it starts ends with it."""

    __test__ = False

    def __init__(self) -> None:
        self.folder = _make_folder()
        self.keys = SecretFile(self.folder / "keys.json")
        self.supervisor = ProcessSupervisor(self.folder / "log")
        self.cluster: PostgresCluster | None = None
        self.redis: RedisServer | None = None
        if "DATABASE_URL" in os.environ:
            self.given_owner_url = os.environ.get("DATABASE_OWNER_URL", os.environ["DATABASE_URL"])
            self.url, self.owner_url = (
                _test_database_url(os.environ["DATABASE_URL"]),
                _test_database_url(self.given_owner_url),
            )
        else:
            self.cluster = PostgresCluster(self.folder / "postgres", self.keys, EPHEMERAL_SETTINGS)
            self.url = self.cluster.url(APPLICATION, DATABASE)
            self.owner_url = self.cluster.url(OWNER, DATABASE)
        if "REDIS_URL" not in os.environ:
            self.redis = RedisServer(self.keys.get("redis"))
            self.redis_url = self.redis.url
        else:
            self.redis_url = _test_redis_url(os.environ["REDIS_URL"])
        self.aws_port = free_port()
        self.aws_url = f"http://127.0.0.1:{self.aws_port}"
        self.env_before = dict(os.environ)
        os.environ.update(
            DATABASE_URL=self.url,
            DATABASE_OWNER_URL=self.owner_url,
            # A pool would keep connections of one test into the next; live portals of the tests use one of their own.
            DATABASE_POOL="0",
            REDIS_URL=self.redis_url,
        )
        os.environ.setdefault("AWS_ENDPOINT_URL", self.aws_url)
        os.environ.setdefault("SECRET_KEY", self.keys.get("secret"))
        os.environ.setdefault("ENCRYPTION_KEYS", self.keys.fernet("encryption"))
        os.environ.setdefault("PUBLIC_URL", "http://127.0.0.1:8000")
        os.environ.setdefault("EMAIL_URL", "smtp://127.0.0.1:1")  # nothing answers there: no test mails anybody
        os.environ.setdefault("ALLOWED_HOSTS", "127.0.0.1,localhost,testserver")

        # A session that fails before pytest has its configuration never unconfigures; close twice does no harm.
        atexit.register(self.close)

    @cache  # noqa: B019  (one object per session)
    def start_database(self) -> None:
        if self.cluster is None:
            _create_test_database(self.given_owner_url, self.owner_url)
            return
        self.cluster.prepare()
        self.supervisor.start(self.cluster.process())
        self.cluster.make_database(DATABASE)

    @cache  # noqa: B019
    def start_redis(self) -> None:
        if self.redis is not None:
            self.supervisor.start(self.redis.process())

    def leave_to_workers(self) -> None:
        """Undo what this process put into the environment, which its workers inherit; they start the servers."""
        os.environ.clear()
        os.environ.update(self.env_before, **{FOLDER_VARIABLE: str(self.folder)})

    def close(self) -> None:
        self.supervisor.stop()
        if self.cluster is not None:
            self.cluster.remove_sockets()
        if not os.environ.get("KEEP_TEST_LOGS"):
            shutil.rmtree(self.folder, ignore_errors=True)


def _make_folder() -> Path:
    """A new folder for the session, or the worker's inside the session's."""
    if WORKER:
        folder = Path(os.environ[FOLDER_VARIABLE]) / WORKER
        folder.mkdir()
    else:
        folder = Path(tempfile.mkdtemp(prefix="causeway-test-"))
    folder.chmod(0o711)
    return folder


def _test_database_url(url: str) -> str:
    """The same server and login, database ``test_NAME``: a test never touches the database it was pointed at."""
    parts = urlsplit(url)
    suffix = f"_{WORKER}" if WORKER else ""
    return urlunsplit(parts._replace(path=f"/test_{parts.path.lstrip('/')}{suffix}"))


def _test_redis_url(url: str) -> str:
    """The same server; each worker its own of the server's numbered databases."""
    parts = urlsplit(url)
    number = int(parts.path.lstrip("/") or 0) + int(WORKER.removeprefix("gw") or 0)
    return urlunsplit(parts._replace(path=f"/{number}"))


def _create_test_database(given: str, wanted: str) -> None:
    name = urlsplit(wanted).path.lstrip("/")
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


SERVERS = TestServers()


def pytest_report_header() -> str:
    return f"servers: {SERVERS.folder}"


def pytest_xdist_setupnodes() -> None:
    SERVERS.leave_to_workers()


def pytest_unconfigure() -> None:
    SERVERS.close()
