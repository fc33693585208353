"""The lab's first process: makes the underlay and the nodes' own namespaces, forks the agents and the servers.

Children share the imports made before the fork; each dies with the supervisor, the namespaces with the last of them.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pyroute2 import IPRoute, netns

from provisioning.agent.agent import Agent
from provisioning.agent.netlink import CircuitProvider, Netlink
from provisioning.agent.netns import in_netns, libc
from provisioning.agent.portal_client import PortalClient
from provisioning.agent.state import AgentState
from provisioning.lab import sandbox, workload_servers
from provisioning.lab.config import LabConfig, LabNode
from provisioning.lab.workloads import LabCircuitProvider

log = logging.getLogger("causeway.lab")

UNDERLAY = "underlay"
SERVERS = "servers"
"""Name of the process that answers in all workloads."""
UNDERLAY_MTU = 9000
RESTART_SECONDS = 1.0
FOREVER = 3600.0
M_ARENA_MAX = -8
HANDLED_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}


def _freeze_shared_memory() -> None:
    """Run before the forks: what was imported stays shared, and threads do not each get an arena of their own."""
    PortalClient("http://127.0.0.1")
    gc.collect()
    gc.freeze()
    libc.mallopt(M_ARENA_MAX, 1)


class LabSupervisor:
    def __init__(self, config: LabConfig) -> None:
        self.config = config
        self.boot_id = os.urandom(8).hex()
        self.children: dict[int, tuple[str, Callable[[], None]]] = {}
        self.pending_restarts: dict[str, tuple[float, Callable[[], None]]] = {}
        """name → (when to start it again, how)"""

    def run(self) -> None:
        """Run until SIGTERM or SIGINT."""
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
        if not self.config.simulate:
            sandbox.enter_sandbox()
            # In a thread, for a thread that has left the machine's network namespace cannot return to it.
            maker = threading.Thread(target=self._create_underlay)
            maker.start()
            maker.join()
        _freeze_shared_memory()
        if not self.config.simulate:
            self._start(SERVERS, lambda: workload_servers.main(self.config.traffic))
        for node in self.config.nodes:
            self._start(node.name, lambda node=node: self._run_agent(node))  # type: ignore[misc]
        self._write_state_file()
        log.info("lab of %d nodes is up", len(self.config.nodes))
        while True:
            received = signal.sigtimedwait(HANDLED_SIGNALS, RESTART_SECONDS if self.pending_restarts else FOREVER)
            if received and received.si_signo != signal.SIGCHLD:
                break
            self._reap_children()
            self._restart_children()
        self._kill_children()

    # -- children ----------------------------------------------------------------------------------------------------

    def _start(self, name: str, main: Callable[[], None]) -> None:
        parent = os.getpid()
        child = os.fork()
        if child:
            self.children[child] = (name, main)
            return
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS)
            sandbox.die_with_parent(parent)
            main()
        except BaseException:
            log.exception("%s", name)
            os._exit(1)
        os._exit(0)

    def _run_agent(self, node: LabNode) -> None:
        Path("/proc/self/comm").write_text(f"cw-{node.location}-{node.index}"[-15:])
        simulate = self.config.simulate
        home = "" if simulate else node.namespace
        Agent(
            location=node.location,
            index=node.index,
            portal=PortalClient(self.config.portal, node.token),
            state=AgentState(self.config.data / f"{node.location}-{node.index}", self.boot_id),
            netlink=Netlink(home, CircuitProvider() if simulate else LabCircuitProvider(home)),
            prefix=node.prefix,
            public_key=node.public_key,
            enrollment_key=node.enrollment_key,
            simulate=simulate,
        ).run()

    def _reap_children(self) -> None:
        while self.children:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                return
            name, main = self.children.pop(child)
            log.error("%s ended (status %s); it is started again", name, status)
            self.pending_restarts[name] = (time.monotonic() + RESTART_SECONDS, main)

    def _restart_children(self) -> None:
        for name, (due, main) in list(self.pending_restarts.items()):
            if time.monotonic() >= due:
                del self.pending_restarts[name]
                self._start(name, main)
                self._write_state_file()

    def _kill_children(self) -> None:
        for child in self.children:
            os.kill(child, signal.SIGCONT)
            os.kill(child, signal.SIGKILL)
        for child in self.children:
            os.waitpid(child, 0)
        self.config.state_file.unlink(missing_ok=True)

    def _write_state_file(self) -> None:
        """Write the file by which `lab exec` and the others find the lab."""
        pids = {name: pid for pid, (name, _) in self.children.items()}
        state = {
            "pid": os.getpid(),
            "simulate": self.config.simulate,
            "servers": pids.get(SERVERS),
            "nodes": {
                node.name: {"namespace": node.namespace, "prefix": node.prefix, "pid": pids.get(node.name)}
                for node in self.config.nodes
            },
        }
        temporary = self.config.state_file.with_suffix(".new")
        temporary.write_text(json.dumps(state))
        temporary.replace(self.config.state_file)

    # -- the underlay --------------------------------------------------------------------------------------------------

    def _create_underlay(self) -> None:
        """Make one bridge that stands for the internet between nodes; its frames are large, so the mesh keeps 1500."""
        netns.create(UNDERLAY)
        with in_netns(UNDERLAY), IPRoute() as underlay_socket:
            underlay_socket.link("set", index=1, state="up")
            underlay_socket.link("add", ifname="br", kind="bridge")
            bridge = underlay_socket.link_lookup(ifname="br")[0]
            underlay_socket.link("set", index=bridge, state="up", mtu=UNDERLAY_MTU)
            for number, node in enumerate(self.config.nodes, start=1):
                netns.create(node.namespace)
                with in_netns(node.namespace), IPRoute() as node_socket:
                    node_socket.link("set", index=1, state="up")
                    node_socket.link(
                        "add", ifname=UNDERLAY, kind="veth", mtu=UNDERLAY_MTU,
                        peer={"ifname": f"n{number}", "net_ns_fd": UNDERLAY, "mtu": UNDERLAY_MTU},
                    )  # fmt: skip
                    index = node_socket.link_lookup(ifname=UNDERLAY)[0]
                    node_socket.addr("add", index=index, address=node.underlay, prefixlen=16)
                    node_socket.link("set", index=index, state="up")
                port = underlay_socket.link_lookup(ifname=f"n{number}")[0]
                underlay_socket.link("set", index=port, master=bridge, state="up")
