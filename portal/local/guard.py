"""A guard process that ends what a killed supervisor had started.

Run as its own small process, with a pipe from the supervisor as standard input. Each line names a process group;
``-GROUP`` takes it off the list. When the pipe closes without ``bye``, the supervisor was killed: every group still
listed gets SIGTERM and, five seconds later, SIGKILL. Standard library only; started with ``python -I -S``.
"""

import contextlib
import os
import signal
import sys
import time

GRACE_SECONDS = 5.0


def is_group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def send_signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def main() -> None:
    # A terminal's Ctrl-C is the supervisor's to handle; the guard goes when the pipe does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    groups: list[int] = []
    for line in sys.stdin:
        word = line.strip()
        if word == "bye":
            return
        if word.startswith("-"):
            if int(word[1:]) in groups:
                groups.remove(int(word[1:]))
        elif word:
            groups.append(int(word))
    for group in reversed(groups):
        send_signal(group, signal.SIGTERM)
    until = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < until and any(is_group_alive(group) for group in groups):
        time.sleep(0.1)
    for group in groups:
        send_signal(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
