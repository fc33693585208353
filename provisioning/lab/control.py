"""Reach into a running lab from outside: run a command behind a connector, cut a node, flap a circuit."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute

from provisioning.agent.netns import in_netns, libc
from provisioning.core.node_document import LinkEntry
from provisioning.lab.sandbox import CLONE_NEWNS, CLONE_NEWUSER
from provisioning.lab.workload_description import WorkloadDescription
from provisioning.lab.workload_network import apply_workload_network, workload_interface
from provisioning.lab.workloads import WORKLOADS_DIR

CLONE_NEWNET = 0x40000000
LinkChange = Callable[[WorkloadDescription, LinkEntry], None]


class LabError(Exception):
    """What a person asked for cannot be done; the message says why and what there is."""


class Lab:
    """The lab whose supervisor wrote ``state_file``."""

    def __init__(self, state_file: str | Path) -> None:
        try:
            self.state: dict[str, Any] = json.loads(Path(state_file).read_text())
            os.kill(self.pid, 0)
        except (FileNotFoundError, ProcessLookupError):
            raise LabError(
                f"no lab is running (nothing alive is named in {state_file}); `make demo` starts one"
            ) from None
        except PermissionError:
            raise LabError("the lab belongs to another user; run this as that user or as root") from None
        if self.state["simulate"]:
            raise LabError("this lab is a simulation (nft or user namespaces are missing): there are no packets in it")

    @property
    def pid(self) -> int:
        return int(self.state["pid"])

    @property
    def root(self) -> Path:
        """The lab's own view of the file system; its /run is not ours."""
        return Path(f"/proc/{self.pid}/root")

    def workloads(self) -> dict[tuple[str, str], WorkloadDescription]:
        """Return (tenant, connector) → workload, for all that are announced."""
        paths = sorted((self.root / "run/lab/workloads").glob("*.json"))
        workloads: list[WorkloadDescription] = [json.loads(path.read_text()) for path in paths]
        return {(workload["tenant"], workload["connector"]): workload for workload in workloads}

    def workload(self, tenant: str, connector: str) -> WorkloadDescription:
        """Return the workload behind a connector. Raises LabError that names those there are."""
        workloads = self.workloads()
        if (tenant, connector) not in workloads:
            names = ", ".join(" ".join(key) for key in workloads) or "none yet"
            raise LabError(f"there is no workload behind {tenant} {connector}; there are: {names}")
        return workloads[tenant, connector]

    def exec_in(self, tenant: str, connector: str, argv: list[str]) -> int:
        """Run ``argv`` behind a connector with our standard input and output; return its exit code."""
        namespace = self.workload(tenant, connector)["namespace"]
        child = os.fork()
        if child == 0:
            try:
                self._enter_namespaces(namespace)
                os.execvp(argv[0], argv)
            except FileNotFoundError:
                os.write(2, f"{argv[0]}: no such program on this machine\n".encode())
            except OSError as error:
                os.write(2, f"{error}\n".encode())
            os._exit(127)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)

    def cut(self, location: str, node: int | None = None) -> list[str]:
        """Take a location's nodes off the network, with their agents. Return the names of the nodes."""
        names = self._node_names(location, node)
        for name in names:
            self._signal(name, signal.SIGSTOP)
        self._run_in_lab(lambda: self._set_underlay_state(names, "down"))
        self._run_in_lab(lambda: self._change_circuits_of(names, self._set_link_down))
        return names

    def heal(self, location: str, node: int | None = None) -> list[str]:
        """Put a location's nodes back on the network. Return their names."""
        names = self._node_names(location, node)
        self._run_in_lab(lambda: self._set_underlay_state(names, "up"))
        self._run_in_lab(lambda: self._change_circuits_of(names, self._set_link_up))
        for name in names:
            self._signal(name, signal.SIGCONT)
        return names

    def flap(self, tenant: str, connector: str, circuit: str | None, seconds: float) -> None:
        """Drop a connector's circuit (all of them for None) and restore it."""
        workload = self.workload(tenant, connector)
        links = [link for link in workload["links"] if circuit in (None, link["circuit"])]
        if not links:
            names = ", ".join(sorted({link["circuit"] for link in workload["links"]}))
            raise LabError(f"{tenant} {connector} has no circuit {circuit}; it has {names}")
        self._run_in_lab(lambda: self._change_links(self._set_link_down, workload, links))
        try:
            time.sleep(seconds)
        finally:
            self._run_in_lab(lambda: self._change_links(self._set_link_up, workload, links))

    # -- inside --------------------------------------------------------------------------------------------------------

    def _node_names(self, location: str, node: int | None) -> list[str]:
        names = [
            name
            for name in self.state["nodes"]
            if name.rpartition("/")[0] == location and (node is None or name.endswith(f"/{node}"))
        ]
        if not names:
            raise LabError(f"there is no {location}{f'/{node}' if node else ''} in the lab; there are: "
                           + ", ".join(sorted(self.state["nodes"])))  # fmt: skip
        return names

    def _signal(self, name: str, number: int) -> None:
        if pid := self.state["nodes"][name]["pid"]:
            os.kill(pid, number)

    def _enter_namespaces(self, network: str = "", mount: bool = False) -> None:
        """In a forked child: become root of the lab, and enter a workload's network namespace."""
        namespaces = []
        if os.readlink("/proc/self/ns/user") != os.readlink(f"/proc/{self.pid}/ns/user"):
            namespaces.append((f"/proc/{self.pid}/ns/user", CLONE_NEWUSER))
        if network:
            namespaces.append((str(self.root / "run/netns" / network), CLONE_NEWNET))
        if mount:
            namespaces.append((f"/proc/{self.pid}/ns/mnt", CLONE_NEWNS))
        opened = [(os.open(path, os.O_RDONLY), kind) for path, kind in namespaces]
        for descriptor, kind in opened:
            if libc.setns(descriptor, kind) != 0:
                raise LabError("the lab's namespaces cannot be entered; run this as the lab's user or as root")
            if kind == CLONE_NEWUSER:
                os.setgid(0)
                os.setuid(0)
            os.close(descriptor)

    def _run_in_lab(self, work: Callable[[], Any]) -> None:
        child = os.fork()
        if child == 0:
            try:
                self._enter_namespaces(mount=True)
                work()
            except Exception as error:
                os.write(2, f"{error}\n".encode())
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            raise LabError("the lab did not do it; its message is above")

    def _set_underlay_state(self, names: list[str], state: str) -> None:
        for name in names:
            with in_netns(self.state["nodes"][name]["namespace"]), IPRoute() as socket:
                socket.link("set", index=socket.link_lookup(ifname="underlay")[0], state=state)

    @staticmethod
    def _change_links(change: LinkChange, workload: WorkloadDescription, links: list[LinkEntry]) -> None:
        for link in links:
            change(workload, link)

    def _change_circuits_of(self, names: list[str], change: LinkChange) -> None:
        """Change every circuit that ends on these nodes. Runs in the lab, where WORKLOADS_DIR is at its own path."""
        for path in sorted(WORKLOADS_DIR.glob("*.json")):
            workload: WorkloadDescription = json.loads(path.read_text())
            for link in workload["links"]:
                if workload["nodes"].get(link["node"]) in names:
                    change(workload, link)

    def _set_link_down(self, workload: WorkloadDescription, link: LinkEntry) -> None:
        with in_netns(workload["namespace"]), IPRoute() as socket:
            for index in socket.link_lookup(ifname=workload_interface(link)):
                socket.link("set", index=index, state="down")

    def _set_link_up(self, workload: WorkloadDescription, link: LinkEntry) -> None:
        with in_netns(workload["namespace"]), IPRoute() as socket:
            for index in socket.link_lookup(ifname=workload_interface(link)):
                socket.link("set", index=index, state="up")
            apply_workload_network(socket, workload)
