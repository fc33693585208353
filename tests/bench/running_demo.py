"""A complete demo in its own folder, for benchmarks that need running processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal.local import env_file, memory, process_specs
from portal.local.redis import free_port


@dataclass(frozen=True)
class RunningDemo:
    url: str
    token: str
    env: dict[str, str]
    pid: int
    seconds: float

    def memory(self) -> int:
        """Return the bytes that all its processes use."""
        return memory.proportional_set_size(memory.process_tree(self.pid))

    def manage(self, *words: str) -> str:
        return subprocess.check_output(
            [sys.executable, "manage.py", *words], env=self.env, cwd=process_specs.ROOT, text=True
        )


@contextmanager
def demo_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="causeway-bench-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@contextmanager
def running_demo(data: Path) -> Iterator[RunningDemo]:
    """Start a demo, wait until it is ready, yield it and stop it; a second one in the same folder keeps its data."""
    port, began = free_port(), time.monotonic()
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.local.demo"],
        env={**clean, "DATA": str(data), "PORT": str(port)},
        cwd=process_specs.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Ctrl-C"):
                break
        else:
            raise RuntimeError(f"The demo did not start:\n{''.join(lines)}")
        seconds = time.monotonic() - began
        token = re.search(r"API token\s+(\S+)", "".join(lines))
        yield RunningDemo(
            url=f"http://127.0.0.1:{port}",
            token=token[1] if token else "",
            env={**os.environ, **env_file.read_env(data)},
            pid=process.pid,
            seconds=seconds,
        )
    finally:
        process.terminate()
        process.communicate(timeout=60)
