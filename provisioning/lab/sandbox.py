"""The lab's own corner of the machine: user and mount namespaces, so that nothing outside is touched and nothing stays.

The network namespace stays the machine's, so agents reach the portal on loopback. Named network namespaces live on a
tmpfs over /run in the mount namespace: when the last process is gone, so are they.
"""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class NamespacesUnavailable(Exception):
    """The machine does not let us have namespaces; the message says which and what to change."""


def enter_sandbox() -> None:
    """Moves this (single-threaded) process into new user and mount namespaces, with an empty /run."""
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    elif uid != 0 or _libc.unshare(CLONE_NEWNS) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise NamespacesUnavailable(
            f"user namespaces are refused here ({reason}); allow them (sysctl kernel.unprivileged_userns_clone=1, "
            "or on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0) or run as root"
        )
    _mount("none", "/", "", MS_REC | MS_PRIVATE)
    _mount("tmpfs", "/run", "tmpfs", 0)
    os.makedirs("/run/netns")
    os.makedirs("/run/lab/workloads")


def _mount(source: str, target: str, kind: str, flags: int) -> None:
    if _libc.mount(source.encode(), target.encode(), kind.encode() or None, flags, None) != 0:
        raise NamespacesUnavailable(f"mounting {kind or 'private'} on {target}: {os.strerror(ctypes.get_errno())}")


def die_with_parent(parent: int) -> None:
    """In a fresh child: end when the supervisor ends, however that happens."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
