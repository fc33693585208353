"""Be in a network namespace for a moment. Only the calling thread moves; a child it starts there stays there.

Without privileges in the machine's own namespace (the lab's user namespace has none there) a thread that has left it
cannot return: it then stays where it was last. So kernel work has a thread of its own, which never talks to the portal.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

NETNS_DIR = "/run/netns"
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def netns_path(name: str) -> str:
    return f"{NETNS_DIR}/{name}"


def _set_netns(descriptor: int, name: str) -> None:
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"entering network namespace {name}: {os.strerror(number)}")


@contextmanager
def in_netns(name: str) -> Iterator[None]:
    """``with in_netns("cw.acme.corp"):``; an empty name means where the thread is already."""
    if not name:
        yield
        return
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        target = os.open(netns_path(name), os.O_RDONLY)
        try:
            _set_netns(target, name)
        finally:
            os.close(target)
        try:
            yield
        finally:
            with suppress(PermissionError):
                _set_netns(before, "before")
    finally:
        os.close(before)
