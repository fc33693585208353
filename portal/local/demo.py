"""``make demo``: everything on one machine, seeded, provisioned, and passing packets.

It locks the data folder, starts PostgreSQL and Redis, migrates as the owner, starts the portal, a worker and the lab,
seeds the network and waits until it is provisioned, however slow that is, prints the addresses, and starts again what
ends until it is stopped. All its data is in DATA; addresses and passwords are in DATA/env for a second terminal.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.demo import NOT_PROVISIONED
from portal.local import env_file, memory, process_specs
from portal.local.os_account import OsAccountError
from portal.local.postgres import APPLICATION, OWNER, PostgresCluster
from portal.local.redis import RedisServer, free_port
from portal.local.restarts import ProcessRestarter, TooManyFailures
from portal.local.secret_file import SecretFile
from portal.local.supervisor import ProcessSpec, ProcessStartError, ProcessSupervisor

DATABASE = "causeway"
TELL_SECONDS = 30.0
"""Between two signs of life of a command that takes long."""
DEMO_FILES = ("postgres", "postgres.sockets", "log", "lab", "worker", "env", "token", "migrated", "keys.json", "mails")
DEMO_LOGINS = {
    "operator": "the installation",
    "msp": "MSP Northwind Managed Networks",
    "owner": "acme-health: owner",
    "netadmin": "acme-health: network admin",
    "secadmin": "acme-health: security admin",
    "finance": "acme-health: finance",
    "viewer": "acme-health: viewer",
    "stranger": "initech: owner, sees nothing else",
}


class DemoError(Exception):
    """The demo cannot go on; the message says what to do."""


class Demo:
    def __init__(self, data: Path, port: int, supervisor: ProcessSupervisor) -> None:
        self.data = data
        self.port = port
        self.supervisor = supervisor
        self.restarter = ProcessRestarter(supervisor, print_message)
        self.keys = SecretFile(data / "keys.json")
        self.cluster: PostgresCluster | None = None
        self.env: dict[str, str] = {}
        self.url = f"http://127.0.0.1:{port}"

    def run(self) -> None:
        began = time.monotonic()
        self.start_database()
        self.start_redis()
        self.prepare_env()
        aws = self.supervisor.launch(
            process_specs.aws_process(self.env, self.aws_port, self.folder("lab") / "aws.state")
        )
        self.migrate()
        # Launched side by side, since each takes seconds of one core to load.
        portal = self.supervisor.launch(process_specs.portal_process(self.env_without_owner(), self.port))
        worker = self.supervisor.launch(process_specs.worker_process(self.env_without_owner(), self.folder("worker")))
        missing = process_specs.missing_for_packets(self.env)
        # Its agents retry until the portal answers.
        lab = self.supervisor.launch(
            process_specs.lab_process(self.env_without_owner(), self.folder("lab"), simulate=bool(missing))
        )
        for running in (aws, portal, worker, lab):
            self.supervisor.wait_ready(running)
            print_step(f"{running.process.name} up", running.seconds)
        for reason in missing:
            print(f"            exchanges are simulated and no packets flow: this machine lacks {reason}", flush=True)
        is_provisioned = self.command("network seeded", "seed_demo", tolerated=NOT_PROVISIONED)
        token = self.token()
        self.print_summary(token, time.monotonic() - began, is_provisioned=is_provisioned)

    def start(self, process: ProcessSpec) -> None:
        print_step(f"{process.name} up", self.supervisor.start(process).seconds)

    def folder(self, name: str) -> Path:
        folder = self.data / name
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder

    def start_database(self) -> None:
        if "DATABASE_URL" in os.environ:
            if "DATABASE_OWNER_URL" not in os.environ:
                raise DemoError("DATABASE_URL is set, so set DATABASE_OWNER_URL too: the login that migrates.")
            self.env |= {name: os.environ[name] for name in ("DATABASE_URL", "DATABASE_OWNER_URL")}
            return
        self.cluster = PostgresCluster(self.data / "postgres", self.keys)
        began = time.monotonic()
        self.cluster.prepare()
        self.supervisor.start(self.cluster.process())
        self.cluster.make_database(DATABASE)
        self.env["DATABASE_URL"] = self.cluster.url(APPLICATION, DATABASE)
        self.env["DATABASE_OWNER_URL"] = self.cluster.url(OWNER, DATABASE)
        print_step("postgres up", time.monotonic() - began)

    def start_redis(self) -> None:
        if "REDIS_URL" in os.environ:
            self.env["REDIS_URL"] = os.environ["REDIS_URL"]
            return
        redis = RedisServer(self.keys.get("redis"))
        self.start(redis.process())
        self.env["REDIS_URL"] = redis.url

    def migrate(self) -> None:
        """Migrate as the owner, unless our own database was last migrated by exactly this code."""
        stamp, digest = self.data / "migrated", source_digest()
        if self.cluster and stamp.exists() and stamp.read_text() == digest:
            return
        self.command("database migrated", "migrate", "--database", "owner", "--verbosity", "0")
        stamp.write_text(digest)

    def prepare_env(self) -> None:
        """Set the environment that the settings need; values set by the person win."""
        self.aws_port = free_port()
        defaults = {
            "CELERY_BROKER_URL": self.env["REDIS_URL"],
            "SECRET_KEY": self.keys.get("secret"),
            "ENCRYPTION_KEYS": self.keys.fernet("encryption"),
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "PUBLIC_URL": self.url,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.aws_port}",
            "EMAIL_URL": self.folder("mails").absolute().as_uri(),
            "LAB_STATE": str(self.folder("lab") / "state.json"),
            "DEMO_PASSWORD": self.keys.readable("demo"),
        }
        self.env |= {name: os.environ.get(name, value) for name, value in defaults.items()}
        env_file.write_env(self.data, self.env)
        self.env = {**os.environ, **self.env}

    def env_without_owner(self) -> dict[str, str]:
        """Return the environment without the owner's login, which row-level security does not bind."""
        return {name: value for name, value in self.env.items() if name != "DATABASE_OWNER_URL"}

    def command(self, text: str, *words: str, tolerated: int = 0) -> bool:
        """Run a manage.py command with the owner's login, its output to its log; return whether its exit code was 0.

        Other parts are started again meanwhile; where one was, a command that failed is repeated. Raise DemoError for
        an exit code that is neither 0 nor ``tolerated``, whose reason is told.
        """
        began, log, restarts = time.monotonic(), self.data / "log" / f"{words[0]}.log", self.restarter.restarts
        # Through the supervisor, so that Ctrl-C ends it too.
        manage = [sys.executable, "manage.py", *words]
        running = self.supervisor.launch(
            ProcessSpec(words[0], manage, env=self.env, folder=process_specs.ROOT, keep_running=False)
        )
        told_at = began
        while running.popen.poll() is None:
            self.restarter.restart_ended()
            self.supervisor.sleep(0.05)
            if time.monotonic() - told_at > TELL_SECONDS:
                told_at = time.monotonic()
                print_step(f"{words[0]} goes on: {running.tail(1).strip()}", told_at - began)
        tail, code = running.tail(), running.popen.returncode
        self.supervisor.stop(words[0])
        if code not in (0, tolerated):
            if self.restarter.restarts > restarts:
                return self.command(text, *words, tolerated=tolerated)
            raise DemoError(f"`manage.py {' '.join(words)}` failed with exit code {code}. Its log ({log}):\n{tail}")
        print_step(text, time.monotonic() - began)
        if code:
            print_message(tail)
        return code == 0

    def secret(self, *words: str) -> str:
        """Return the output of a manage.py command; it is a secret and goes to no log."""
        result = subprocess.run(
            [sys.executable, "manage.py", *words], env=self.env, cwd=process_specs.ROOT, capture_output=True, text=True
        )
        if result.returncode != 0:
            raise DemoError(f"`manage.py {' '.join(words)}` failed:\n{result.stderr}")
        return result.stdout.strip()

    def token(self) -> str:
        """Return an API token of the network admin: that of the last start while it is still valid, or a new one."""
        token_file = self.data / "token"
        if token_file.exists() and self.is_token_accepted(token_file.read_text()):
            return token_file.read_text()
        token = self.secret("token", "netadmin@demo.test", "--tenant", "acme-health")
        token_file.touch(mode=0o600)
        token_file.write_text(token)
        return token

    def is_token_accepted(self, token: str) -> bool:
        request = urllib.request.Request(f"{self.url}/api/v1/me/", headers={"Authorization": f"Bearer {token}"})
        try:
            return bool(urllib.request.urlopen(request, timeout=5).status == 200)
        except urllib.error.HTTPError:
            return False

    def print_summary(self, token: str, seconds: float, *, is_provisioned: bool) -> None:
        size = memory.proportional_set_size(memory.process_tree(os.getpid())) / 2**20
        state = "Ready" if is_provisioned else "Up, but not all is provisioned (see above),"
        print(f"\n{state} after {seconds:.1f} s, {size:.0f} MiB in use, all in {self.data}.\n")
        print(f"  Portal     {self.url}")
        print(f"  Password   {self.env['DEMO_PASSWORD']}   (for every login)")
        for name, what in DEMO_LOGINS.items():
            print(f"  {name + '@demo.test':<22} {what}")
        print(f"\n  Mails      {self.url}/mails/")
        print(f"  API token  {token}   (netadmin's)")
        print(f"  Try        curl -H 'Authorization: Bearer {token}' {self.url}/api/v1/me/")
        print(
            "\nCtrl-C stops everything; the next `make demo` goes on from here, `RESET=1` from nothing.\n", flush=True
        )


def source_digest() -> str:
    """Return a digest of all the code: policies and grants follow the models, so migrations alone do not suffice."""
    digest = hashlib.sha256((process_specs.ROOT / "requirements.txt").read_bytes())
    for package in ("tenants", "provisioning", "billing", "portal"):
        for file in sorted((process_specs.ROOT / package).rglob("*.py")):
            digest.update(str(file.relative_to(process_specs.ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()


def print_message(text: str) -> None:
    print(textwrap.indent(text, " " * 12), flush=True)


def print_step(text: str, seconds: float) -> None:
    print(f"  {seconds:6.1f} s  {text}", flush=True)


@contextmanager
def lock_data_folder(data: Path) -> Iterator[None]:
    """Lock the data folder, since two installations in one folder would corrupt each other's data."""
    if not data.exists():
        data.mkdir(parents=True)
        # The database's user may traverse it; nobody else may list it.
        data.chmod(0o711)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"Another demo runs in {data}. Stop it first, or choose another DATA=.") from None
        yield


def reset_data(data: Path) -> None:
    """Remove what a demo writes, by name: other files in the folder are not ours."""
    for name in DEMO_FILES:
        path = data / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemoError(
                f"Port {port} cannot be used ({error.strerror}). Choose another: make demo PORT=8001"
            ) from None


def main() -> int:
    data = Path(os.environ.get("DATA") or ".demo").absolute()
    port = int(os.environ.get("PORT") or 8000)
    try:
        refuse_taken_port(port)
        with lock_data_folder(data):
            if os.environ.get("RESET", "") not in ("", "0"):
                reset_data(data)
            print(f"Causeway demo, data in {data}", flush=True)
            with ProcessSupervisor(data / "log", on_late=print_message) as supervisor:
                supervisor.handle_stop_signals()
                demo = Demo(data, port, supervisor)
                try:
                    demo.run()
                    demo.restarter.watch()
                finally:
                    print("Stopping …", flush=True)
                    supervisor.stop()
                    if demo.cluster:
                        demo.cluster.remove_sockets()
    except KeyboardInterrupt:
        print("Stopped.")
        return 0
    except TooManyFailures as error:
        print(f"Stopped, because {error}", file=sys.stderr)
        return 1
    except (DemoError, ProcessStartError, OsAccountError) as error:
        print(f"The demo could not start. {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
