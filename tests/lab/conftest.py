"""Fixtures of packet tests: a running lab with its agents, a fake portal and a prober."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from provisioning.lab.control import Lab
from provisioning.lab.fake_portal import FakePortal
from tests.core.sample_networks import CATALOG
from tests.lab.handwritten_network import EXCHANGES, TENANT, HandwrittenNetwork

ROOT = Path(__file__).parents[2]


class RunningLab:
    """One running lab of two exchanges."""

    def __init__(self, folder: Path, simulate: bool = False) -> None:
        self.simulate = simulate
        self.portal = FakePortal()
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.prober: subprocess.Popen[str] | None = None
        self.tenant = TENANT

    def start(self) -> None:
        nodes = []
        for location in EXCHANGES.values():
            for node in CATALOG.locations[location].nodes:
                name = f"{location}/{node.index}"
                nodes.append({"location": location, "index": node.index, "underlay": node.underlay, "token": name,
                              "public_key": self.portal.public_key})  # fmt: skip
        config = {"portal": self.portal.url, "nodes": nodes, "data": str(self.folder / "data"),
                  "state_file": str(self.folder / "state.json"), "simulate": self.simulate}  # fmt: skip
        (self.folder / "lab.json").write_text(json.dumps(config))
        argv = [sys.executable, "-m", "provisioning.lab", "--config", str(self.folder / "lab.json")]
        with open(self.folder / "lab.log", "ab") as log:
            self.process = subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log)
        wait_until(lambda: (self.folder / "state.json").exists(), 40, f"the lab starts: {self.folder}/lab.log")
        if not self.simulate:
            self.lab = Lab(self.folder / "state.json")

    def stop(self) -> None:
        if self.prober:
            self.prober.kill()
            self.prober.communicate()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
        self.portal.close()

    def log(self) -> str:
        return (self.folder / "lab.log").read_text()

    def publish_network(self, network: HandwrittenNetwork, seconds: float = 30) -> float:
        """Publish a network and wait until every node has applied it; return the time it was served."""
        return self.publish(network.documents(), seconds)

    def publish(self, documents: Mapping[str, Mapping[str, Any]], seconds: float = 30) -> float:
        """Publish documents in the same way; a node without one gets an empty document."""
        nodes = [f"{location}/{index}" for location in EXCHANGES.values() for index in (1, 2)]
        served = self.portal.publish({**{node: {} for node in nodes}, **documents})
        assert self.portal.wait_until_applied(seconds), f"nodes have not applied the document\n{self.log()[-4000:]}"
        return served

    def popen(self, site: str, *argv: str, stdin: int | None = None) -> subprocess.Popen[str]:
        namespace = self.lab.workload(self.tenant, site)["namespace"]
        return self.popen_in(namespace, *argv, stdin=stdin)

    def popen_in(self, namespace: str, *argv: str, stdin: int | None = None) -> subprocess.Popen[str]:
        pid = self.lab.pid
        enter = ["nsenter", "-t", str(pid), "-U", f"--net=/proc/{pid}/root/run/netns/{namespace}"]
        return subprocess.Popen(
            [*enter, *argv], text=True, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def send_command(self, **command: Any) -> Any:
        """Send a command to the prober, started on first use, and return its answer."""
        if self.prober is None or self.prober.poll() is not None:
            argv = [
                "nsenter",
                "-t",
                str(self.lab.pid),
                "-U",
                "-m",
                f"--wd={ROOT}",
                sys.executable,
                "-m",
                "tests.lab.prober",
            ]
            self.prober = subprocess.Popen(argv, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        assert self.prober.stdin and self.prober.stdout
        self.prober.stdin.write(json.dumps(command) + "\n")
        self.prober.stdin.flush()
        return json.loads(self.prober.stdout.readline())

    def run(self, site: str, *argv: str) -> str:
        """Run a command in a site's workload and return what it printed."""
        return self.popen(site, *argv).communicate(timeout=20)[0]

    def nft(self, namespace: str) -> str:
        return self.popen_in(namespace, "nft", "list", "ruleset").communicate(timeout=20)[0]

    def can_connect(self, site: str, address: str, port: int, bind: str = "") -> bool:
        """Return whether a TCP connection is answered within two seconds."""
        return "reached" in self.run(site, sys.executable, "-c", CONNECT, address, str(port), bind)

    def banner(self, site: str, address: str, port: int) -> str:
        """Return the banner of a TCP server, or the error text if none answers."""
        return self.run(site, sys.executable, "-c", BANNER, address, str(port))

    def can_ping(self, site: str, address: str, *more: str) -> bool:
        return "1 received" in self.run(site, "ping", "-c1", "-W1", *more, address)

    def can_send_datagram(self, site: str, address: str, port: int) -> bool:
        return "reached" in self.run(site, sys.executable, "-c", DATAGRAM, address, str(port))


CONNECT = """
import socket, sys
address, port, bind = sys.argv[1:4]
try:
    line = socket.create_connection((address, int(port)), 2, (bind, 0) if bind else None)
    line.settimeout(2)
    print("reached" if line.recv(100) else "closed")
except OSError as error:
    print(error)
"""
BANNER = """
import socket, sys
try:
    print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).recv(100).decode())
except OSError as error:
    print(error)
"""
DATAGRAM = """
import socket, sys
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line.settimeout(2)
try:
    line.sendto(b"hello", (sys.argv[1], int(sys.argv[2])))
    print("reached" if line.recv(100) == b"hello" else "garbled")
except OSError as error:
    print(error)
"""
# It prints the time of the last answer: a flow that is cut gets nothing more, not even a reset.
STREAM = """
import socket, sys, time
line = socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
line.settimeout(2)
last = time.monotonic()
print("open", flush=True)
try:
    while True:
        line.sendall(b"tick")
        if not line.recv(100):
            break
        last = time.monotonic()
        print("tick", last, flush=True)
        time.sleep(0.02)
except OSError as error:
    print("cut", last, error, flush=True)
"""


def wait_until(condition: object, seconds: float, what: str) -> float:
    """Wait until a callable returns true; return the seconds it took."""
    started = time.monotonic()
    while not condition():  # type: ignore[operator]
        if time.monotonic() - started > seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
    return time.monotonic() - started


@pytest.fixture(scope="session")
def session_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    started_lab = RunningLab(tmp_path_factory.mktemp("lab"))
    _skip_without_packets()
    try:
        started_lab.start()
        yield started_lab
    finally:
        started_lab.stop()


@pytest.fixture(scope="module")
def running_lab(session_lab: RunningLab) -> RunningLab:
    """The session's lab, emptied for each module."""
    session_lab.publish({})
    return session_lab


def _skip_without_packets() -> None:
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
    if missing := [program for program in ("nft", "ping", "ip", "nsenter") if not shutil.which(program, path=path)]:
        pytest.skip(f"packet tests start {', '.join(missing)}, which this machine does not have")
    done = subprocess.run(
        [sys.executable, "-m", "provisioning.lab", "--check"], cwd=ROOT, capture_output=True, text=True, check=False,
        env=dict(os.environ),
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"packets cannot flow on this machine: {done.stderr.strip()}")
