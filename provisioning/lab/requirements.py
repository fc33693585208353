"""What the lab needs of a machine, by name."""

from __future__ import annotations

import os
import shutil

from provisioning.lab import sandbox


def missing_requirements() -> list[str]:
    """Return what is missing; empty when packets can flow here. Tries in a child process, so that nothing changes."""
    problems = []
    if not shutil.which("nft"):
        problems.append("the nft program (Debian: apt-get install nftables)")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _try_links(writer)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        problem = pipe.read()
    os.waitpid(child, 0)
    return [*problems, problem] if problem else problems


def _try_links(writer: int) -> None:
    """In the child: every kind of link the lab uses."""
    problem, what = "", "user and mount namespaces"
    try:
        sandbox.enter_sandbox()
        from pyroute2 import IPRoute, netns

        what = "network namespaces"
        netns.create("check")
        with IPRoute(netns="check") as socket:
            for name, extra in (
                ("veth interfaces", {"kind": "veth", "peer": "b"}),
                ("bridges", {"kind": "bridge"}),
                ("VXLAN with group policy", {"kind": "vxlan", "vxlan_id": 1, "vxlan_gbp": True, "vxlan_port": 4789}),
            ):
                what = name
                socket.link("add", ifname=f"t{extra['kind']}", **extra)
    except Exception as error:
        problem = f"{what}: {error}"
    os.write(writer, problem.encode())
    os._exit(0)
