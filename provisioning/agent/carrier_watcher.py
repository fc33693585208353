"""Notices when a circuit comes or goes in a namespace where another link has to follow it (KernelLink.follows)."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterable

from provisioning.agent.netns import in_netns

NETLINK_ROUTE = 0
RTMGRP_LINK = 1
"""Multicast group of link changes (rtnetlink(7))."""
SELECT_TIMEOUT = 0.5


class CarrierWatcher:
    """One thread over a socket in each namespace; it calls ``on_change``, which has to look what changed."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._sockets: dict[str, socket.socket] = {}
        self._thread: threading.Thread | None = None

    def watch(self, namespaces: Iterable[str]) -> None:
        """Watch these namespaces and no others; call it from the thread that may enter namespaces."""
        desired = set(namespaces)
        for name in self._sockets.keys() - desired:
            self._sockets.pop(name).close()
        for name in desired - self._sockets.keys():
            with in_netns(name):
                opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_ROUTE)
            opened.bind((0, RTMGRP_LINK))
            opened.setblocking(False)
            self._sockets[name] = opened
        if self._sockets and self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                ready, _, _ = select.select(list(self._sockets.values()), [], [], SELECT_TIMEOUT)
                for readable in ready:
                    readable.recv(1 << 16)
                changed = bool(ready)
            except (OSError, ValueError):
                # Closed meanwhile, or messages were lost: the present state is looked at anyway.
                changed = True
            if changed:
                self._on_change()
