"""Start again what ends, while a demo runs: with back-off, and told each time, with the end of its log.

Once a process has failed MAX_FAILURES times within FAILURE_WINDOW seconds, starting it again helps nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from portal.local.supervisor import ProcessStartError, ProcessSupervisor, RunningProcess

MAX_FAILURES, FAILURE_WINDOW = 5, 60.0


class TooManyFailures(Exception):
    """A process fails again and again; the message says which, and ends with the last lines of its log."""


@dataclass
class ProcessRestarter:
    """``tell`` is called with each thing that a person should know; ``restarts`` counts what was started again."""

    supervisor: ProcessSupervisor
    tell: Callable[[str], None]
    restarts: int = 0
    _failed_at: dict[str, list[float]] = field(default_factory=dict)

    def watch(self) -> NoReturn:
        """Start again what ends, until a stop signal raises KeyboardInterrupt. Raise TooManyFailures."""
        while True:
            self.restart_ended()
            self.supervisor.sleep(0.2)

    def restart_ended(self) -> None:
        """Start again every process that has ended and is meant to run, in the order of their first start."""
        for running in list(self.supervisor.running):
            if running.process.keep_running and running.popen.poll() is not None:
                self._restart(running)

    def _restart(self, running: RunningProcess) -> None:
        name, reason = running.process.name, running.end_text()
        while True:
            failures = self._record_failure(name)
            if failures == MAX_FAILURES:
                raise TooManyFailures(f"{reason}\n{name} failed {failures} times within {FAILURE_WINDOW:.0f} s.")
            pause = 2.0 ** (failures - 1)
            self.tell(f"{reason}\nStarting {name} again in {pause:.0f} s.")
            self.supervisor.sleep(pause)
            try:
                running = self.supervisor.restart(running)
            except ProcessStartError as error:
                running, reason = self.supervisor.find(name), str(error)
                continue
            self.restarts += 1
            self.tell(f"{name} is up again.")
            return

    def _record_failure(self, name: str) -> int:
        """Return how often the process has failed within the window, this time included."""
        now = time.monotonic()
        recent = [at for at in self._failed_at.get(name, []) if at > now - FAILURE_WINDOW]
        self._failed_at[name] = [*recent, now]
        return len(recent) + 1
