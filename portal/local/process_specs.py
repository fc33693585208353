"""The processes of an installation besides its database and Redis; the demo and the tests start the same ones.

Each function takes the environment to run in; addresses are in variables named like the settings
(docs/install.md, “Settings”).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from celery import Celery

from portal.local.secret_file import write_private
from portal.local.supervisor import ProcessSpec
from provisioning import node_enrollment
from provisioning.catalog import catalog
from provisioning.lab import moto

ROOT = Path(__file__).resolve().parents[2]


def is_answering(request: str | urllib.request.Request) -> bool:
    """Return whether the answer is 200."""
    with urllib.request.urlopen(request, timeout=10) as response:
        return bool(response.status == 200)


def portal_process(env: Mapping[str, str], port: int, host: str = "127.0.0.1") -> ProcessSpec:
    return ProcessSpec(
        name="portal",
        command=[
            *(sys.executable, "-m", "uvicorn", "portal.asgi:application", "--host", host, "--port", str(port)),
            *("--no-access-log", "--timeout-graceful-shutdown", "5", "--lifespan", "off"),
            # There is no proxy in front, so a client's own X-Forwarded-For must not get into the audit log.
            "--no-proxy-headers",
        ],
        ready=lambda: is_answering(f"http://{host}:{port}/healthz"),
        env=env,
        folder=ROOT,
        start_within=60.0,
    )


def worker_process(env: Mapping[str, str], folder: Path, threads: int = 8) -> ProcessSpec:
    """Return a Celery worker with an embedded beat; ``folder`` holds the beat's schedule."""
    name = f"causeway-{os.getpid()}@worker"
    listener = Celery(broker=env.get("CELERY_BROKER_URL", env["REDIS_URL"]), set_as_current=False)
    return ProcessSpec(
        name="worker",
        command=[
            *(sys.executable, "-m", "celery", "-A", "portal", "worker", "--beat", "--pool", "threads"),
            *("--concurrency", str(threads), "--hostname", name, "--loglevel", "INFO"),
            *("--schedule", str(folder / "beat"), "--without-gossip", "--without-mingle"),
        ],
        ready=lambda: bool(listener.control.ping(destination=[name], timeout=1.0, limit=1)),
        env=env,
        folder=ROOT,
        start_within=60.0,
        stop_within=15.0,
    )


def aws_process(env: Mapping[str, str], port: int, state: Path | None = None) -> ProcessSpec:
    """Return the lab's AWS: moto's server, which keeps its state in the file ``state`` across restarts."""
    # A request to EC2 itself, whose code moto loads only then; the credential's scope names the service.
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/",
        data=b"Action=DescribeAccountAttributes&Version=2016-11-15",
        headers={"Authorization": "AWS4-HMAC-SHA256 Credential=lab/20260101/us-east-1/ec2/aws4_request"},
    )
    return ProcessSpec(
        name="aws",
        command=moto.server_command(port, state),
        ready=lambda: is_answering(request),
        env={**env, **moto.server_environment()},
        folder=ROOT,
        start_within=60.0,
    )


def missing_for_packets(env: Mapping[str, str]) -> list[str]:
    """Return what this machine lacks for real packets, in words; empty when it lacks nothing."""
    result = subprocess.run(
        [sys.executable, "-m", "provisioning.lab", "--check"], env=env, cwd=ROOT, capture_output=True, text=True
    )
    return [line.removeprefix("missing: ") for line in result.stderr.splitlines()] if result.returncode else []


def lab_process(
    env: Mapping[str, str],
    folder: Path,
    *,
    simulate: bool = False,
    traffic: bool = True,
) -> ProcessSpec:
    """Return the lab: every exchange node of the catalogue and the sites and clouds behind them.

    The lab writes its addresses to the file LAB_STATE.
    """
    state, config = Path(env["LAB_STATE"]), folder / "config.json"
    nodes = [
        {
            "location": name,
            "index": node.index,
            "underlay": node.underlay,
            "enrollment_key": node_enrollment.derive_enrollment_key(env["SECRET_KEY"], name, node.index),
        }
        for name, location in catalog().locations.items()
        for node in location.nodes
    ]
    write_private(
        config,
        json.dumps(
            {
                "portal": env["PUBLIC_URL"],
                "nodes": nodes,
                "data": str(folder / "nodes"),
                "state_file": str(state),
                "simulate": simulate,
                "traffic": traffic,
            },
            indent=1,
        ),
    )
    return ProcessSpec(
        name="lab",
        command=[sys.executable, "-m", "provisioning.lab", "--config", str(config)],
        ready=state.exists,
        prepare=lambda: state.unlink(missing_ok=True),
        # Debian installs nft in /usr/sbin, which is not in an ordinary user's PATH.
        env={**env, "PATH": f"{env.get('PATH', os.defpath)}:/usr/sbin:/sbin"},
        folder=ROOT,
        start_within=60.0,
    )
