"""Run a program as an unprivileged user when we are root, wherever its files are.

PostgreSQL refuses to run as root. Its folder then belongs to an unprivileged user, who must be able to traverse the
folders above it; a clone under a 0700 folder (``/root``, ``mktemp -d``) would be out of reach. We never change the
permissions of folders above ours: the process gets a mount namespace of its own (mount_namespaces(7)), in which the
folders it needs also appear under a short path that it can traverse. Where mounting is not allowed either, an error
says which ``DATA=`` to choose.
"""

from __future__ import annotations

import ctypes
import os
import pwd
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
_libc = ctypes.CDLL(None, use_errno=True)


class OsAccountError(Exception):
    """The unprivileged user cannot reach what it needs; the message says what to do."""


@dataclass(frozen=True)
class OsAccount:
    name: str
    uid: int
    gid: int

    def take_ownership(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)

    def can_traverse_to(self, path: Path) -> bool:
        """Return whether every folder above ``path`` lets this user traverse it (as owner, group or other)."""
        for folder in path.resolve().parents:
            status = folder.stat()
            shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
            if not status.st_mode >> shift & 1:
                return False
        return True


def unprivileged_account() -> OsAccount | None:
    """Return the user to become when we are root, else None. ``CAUSEWAY_USER`` names another than nobody."""
    if os.geteuid() != 0:
        return None
    name = os.environ.get("CAUSEWAY_USER", "nobody")
    entry = pwd.getpwnam(name)
    return OsAccount(name, entry.pw_uid, entry.pw_gid)


def drop_privileges(account: OsAccount, views: Mapping[Path, Path]) -> Callable[[], None]:
    """Return what the child does before exec: mount each folder at its view, then become ``account``."""
    mounts = [(os.fsencode(folder), os.fsencode(view)) for folder, view in views.items()]

    def enter() -> None:
        if mounts:
            _check_result(_libc.unshare(CLONE_NEWNS), "unshare")
            _check_result(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount /")
            for folder, view in mounts:
                _check_result(_libc.mount(folder, view, None, MS_BIND, None), "mount")
        os.setgroups([])
        os.setgid(account.gid)
        os.setuid(account.uid)

    return enter


def can_mount() -> bool:
    """Return whether we may mount. It is tried in a child process, since a mount namespace cannot be left again."""
    pid = os.fork()
    if pid == 0:
        allowed = _libc.unshare(CLONE_NEWNS) == 0
        os._exit(0 if allowed and _libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0 else 1)
    return os.waitpid(pid, 0)[1] == 0


def _check_result(result: int, call: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), call)
