"""A supervisor for the processes of one installation on one machine.

It starts them in order, waits until each is ready, and stops them in reverse order with a deadline. Starting again
what ends by itself is left to ``restarts.py``. Nothing outlives the supervisor, not even after ``kill -9``
(``guard.py``, and the parent-death signal of prctl(2) for when the guard is killed too).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
MAX_LOG_BYTES = 10_000_000
_libc = ctypes.CDLL(None, use_errno=True)


class ProcessStartError(Exception):
    """A process did not become ready; the message says which, and ends with the last lines of its log."""


def _raise_start_error(message: str) -> None:
    raise ProcessStartError(message)


@dataclass(frozen=True)
class ProcessSpec:
    """How to run one process.

    ready:        returns whether it can be used; an exception counts as no.
    prepare:      runs here before each start; removes what an earlier one left.
    enter:        runs in the child before exec; drops privileges, enters namespaces.
    start_within, stop_within: seconds.
    keep_running: whether it serves until it is stopped, so that its end is a failure.
    """

    name: str
    command: Sequence[str]
    ready: Callable[[], bool] = lambda: True
    prepare: Callable[[], None] = lambda: None
    env: Mapping[str, str] | None = None
    folder: Path | None = None
    enter: Callable[[], None] | None = None
    stdin: bytes | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    start_within: float = 30.0
    stop_within: float = 10.0
    keep_running: bool = True


@dataclass
class RunningProcess:
    process: ProcessSpec
    popen: subprocess.Popen[bytes]
    log: Path
    log_start: int
    started_at: float
    seconds: float = 0.0

    def end_text(self) -> str:
        """Return how it ended, and the last lines of its log."""
        return f"{self.process.name} ended with {_exit_reason(self.popen.poll() or 0)}. Its log:\n{self.tail()}"

    def tail(self, lines: int = 20) -> str:
        """Return the last lines it has printed since it was started."""
        with self.log.open("rb") as stream:
            stream.seek(self.log_start)
            text = stream.read().decode(errors="replace").splitlines()[-lines:]
        return "\n".join(f"    {line}" for line in text) or "    (its log is empty)"


@dataclass
class ProcessSupervisor:
    """The running processes; a context manager that stops them all.

    ``on_late`` is called with a message when a process is not ready within its time; where it returns, as much time is
    given again. By default it raises ProcessStartError.
    """

    logs: Path
    on_late: Callable[[str], None] = field(default=_raise_start_error)
    running: list[RunningProcess] = field(default_factory=list)
    _guard: subprocess.Popen[bytes] | None = None
    _signalled: int | None = None

    def __enter__(self) -> ProcessSupervisor:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self, process: ProcessSpec) -> RunningProcess:
        """Start a process and wait until it is ready. Raise ProcessStartError when it is not in time."""
        running = self.launch(process)
        self.wait_ready(running)
        return running

    def launch(self, process: ProcessSpec) -> RunningProcess:
        """Start a process without waiting, so that several can start side by side."""
        process.prepare()
        log = self._open_log(process.name)
        with log.open("ab") as output:
            log_start = output.tell()
            popen = subprocess.Popen(
                list(process.command),
                stdin=subprocess.PIPE if process.stdin is not None else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(process.env) if process.env is not None else None,
                cwd=process.folder,
                # A process group of its own: Ctrl-C reaches only the supervisor, which then stops all in order.
                start_new_session=True,
                preexec_fn=_before_exec(process, os.getpid()),
            )
        running = RunningProcess(process, popen, log, log_start, time.monotonic())
        self.running.append(running)
        self._notify_guard(str(popen.pid))
        if process.stdin is not None and popen.stdin is not None:
            popen.stdin.write(process.stdin)
            popen.stdin.close()
        return running

    def wait_ready(self, running: RunningProcess) -> None:
        process, began = running.process, running.started_at
        pause, late_after = 0.02, process.start_within
        while True:
            self.raise_if_stopping()
            code = running.popen.poll()
            if code is not None:
                raise ProcessStartError(
                    f"{process.name} ended with {_exit_reason(code)} while starting. Its log:\n{running.tail()}"
                )
            if _is_ready(process.ready):
                running.seconds = time.monotonic() - began
                return
            if time.monotonic() - began > late_after:
                self.on_late(f"{process.name} is not ready after {late_after:.0f} s. Its log:\n{running.tail()}")
                late_after += process.start_within
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    def restart(self, running: RunningProcess) -> RunningProcess:
        """Stop what is left of a process, start it again and wait until it is ready. Raises ProcessStartError."""
        position = self.running.index(running)
        self.stop(running.process.name)
        again = self.launch(running.process)
        # In its old place: it is stopped after what depends on it.
        self.running.insert(position, self.running.pop())
        self.wait_ready(again)
        return again

    def find(self, name: str) -> RunningProcess:
        return next(running for running in self.running if running.process.name == name)

    def sleep(self, seconds: float) -> None:
        """Sleep; raise KeyboardInterrupt as soon as a stop signal comes."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.raise_if_stopping()
            time.sleep(min(left, 0.2))
        self.raise_if_stopping()

    def handle_stop_signals(self) -> None:
        """Let SIGINT, SIGTERM and SIGHUP end ``sleep`` and any start in progress."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def raise_if_stopping(self) -> None:
        """Raise KeyboardInterrupt when a stop signal came; to be called while waiting for something else."""
        if self._signalled is not None:
            raise KeyboardInterrupt

    def stop(self, name: str | None = None) -> None:
        """Stop one process, or all: the last started first."""
        for running in reversed(self.running if name is None else [r for r in self.running if r.process.name == name]):
            _terminate(running)
            self._notify_guard(f"-{running.popen.pid}")
            self.running.remove(running)
        if name is None and self._guard is not None:
            self._notify_guard("bye")
            if self._guard.stdin is not None:
                self._guard.stdin.close()
            self._guard.wait(timeout=5)
            self._guard = None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signalled = number

    def _open_log(self, name: str) -> Path:
        self.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = self.logs / f"{name}.log"
        if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        return log

    def _notify_guard(self, line: str) -> None:
        if self._guard is None:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
        if self._guard.stdin is not None:
            self._guard.stdin.write(f"{line}\n".encode())
            self._guard.stdin.flush()


def _before_exec(process: ProcessSpec, parent: int) -> Callable[[], None]:
    def child() -> None:
        if process.enter is not None:
            process.enter()
        # After the change of user, since the kernel clears the parent-death signal when credentials change.
        _libc.prctl(PR_SET_PDEATHSIG, int(process.stop_signal))
        if os.getppid() != parent:
            os._exit(1)

    return child


def _is_ready(ready: Callable[[], bool]) -> bool:
    # Whatever a client library raises while the server starts means the same: not yet.
    try:
        return ready()
    except Exception:
        return False


def _terminate(running: RunningProcess) -> None:
    group = running.popen.pid
    if running.popen.poll() is None:
        _send_signal(group, running.process.stop_signal, group_too=False)
        try:
            running.popen.wait(timeout=running.process.stop_within)
        except subprocess.TimeoutExpired:
            _send_signal(group, signal.SIGKILL, group_too=True)
            running.popen.wait(timeout=10)
    # What the process itself has started and left behind.
    _send_signal(group, signal.SIGKILL, group_too=True)


def _send_signal(pid: int, number: signal.Signals, *, group_too: bool) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number) if group_too else os.kill(pid, number)


def _exit_reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
