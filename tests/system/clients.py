"""Clients of the API and the lab for system tests, against processes as the demo starts them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]

# Connects to (address, port); prints what it is greeted with; exit 1 when nothing answers.
PROBE_SCRIPT = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3])) as s:
        s.settimeout(2); s.sendall(b"hello\\n"); print(s.recv(100).decode(errors="replace"))
except OSError as error:
    sys.exit(f"{error}")
"""

# Sends so many bytes to an echoing workload and reads them back.
ECHO_SCRIPT = """
import socket, sys, threading
size = int(sys.argv[3])
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10) as s:
    def push():
        left = size
        while left > 0:
            left -= s.send(b"x" * min(left, 65536))
        s.shutdown(socket.SHUT_WR)
    threading.Thread(target=push).start()
    got = 0
    while chunk := s.recv(65536):
        got += len(chunk)
print(got)
"""


class CustomerClient:
    """The API of one tenant with a person's token."""

    def __init__(self, portal: str, token: str, tenant: str) -> None:
        self.http = httpx.Client(
            base_url=f"{portal}/api/v1/t/{tenant}/", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )

    def get(self, path: str, **query: Any) -> Any:
        return self._checked(self.http.get(path, params=query))

    def post(self, path: str, body: Any = None) -> Any:
        return self._checked(self.http.post(path, json=body if body is not None else {}))

    def put(self, path: str, body: Any) -> Any:
        return self._checked(self.http.put(path, json=body))

    def provision(self, draft: str) -> dict[str, Any]:
        """Plan a draft, provision the plan, wait until the run ends; return the run."""
        plan = self.post(f"drafts/{draft}/plan/")
        run = self.post(f"plans/{plan['id']}/provision/", {"digest": plan["digest"]})
        return self.ended(run["id"])

    def ended(self, run: str, seconds: float = 60) -> dict[str, Any]:
        return wait_until(lambda: self.get(f"runs/{run}/"), lambda run_body: run_body["finished_at"], seconds)

    def _checked(self, answer: httpx.Response) -> Any:
        assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


def wait_until(get: Callable[[], Any], is_ready: Callable[[Any], Any], seconds: float, pause: float = 0.1) -> Any:
    """Call ``get`` until its result passes ``is_ready``; return the result. Fail with the last one."""
    deadline = time.monotonic() + seconds
    while not is_ready(result := get()):
        assert time.monotonic() < deadline, f"After {seconds} s still: {str(result)[:2000]}"
        time.sleep(pause)
    return result


class LabCommands:
    """Commands in workloads behind connectors, by ``manage.py lab exec``."""

    def __init__(self, env: Mapping[str, str], tenant: str) -> None:
        self.env, self.tenant = dict(env), tenant

    def run(self, connector: str, *command: str, seconds: float = 30) -> subprocess.CompletedProcess[str]:
        words = self._words(connector, *command)
        return subprocess.run(words, cwd=ROOT, env=self.env, text=True, capture_output=True, timeout=seconds)

    def connects(self, connector: str, address: str, port: int, patience: float = 1.5) -> bool:
        return (
            self.run(connector, sys.executable, "-c", PROBE_SCRIPT, address, str(port), str(patience)).returncode == 0
        )

    def begin_echo(self, connector: str, address: str, port: int, size: int) -> subprocess.Popen[str]:
        """Send ``size`` bytes to an echoing workload and read them back; ``done`` waits for the end."""
        words = [sys.executable, "-c", ECHO_SCRIPT, address, str(port), str(size)]
        return subprocess.Popen(
            self._words(connector, *words), cwd=ROOT, env=self.env, text=True, stdout=subprocess.PIPE
        )

    def done(self, echo: subprocess.Popen[str], seconds: float = 60) -> int:
        """Return the number of bytes that came back."""
        output, _ = echo.communicate(timeout=seconds)
        assert echo.returncode == 0
        return int(output.split()[-1])

    def _words(self, connector: str, *command: str) -> list[str]:
        return [sys.executable, "manage.py", "lab", "exec", self.tenant, connector, "--", *command]
