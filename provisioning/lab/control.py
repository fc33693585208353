"""Reaching into a running lab from outside: run a command behind a connector, cut a node, flap a circuit."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute

from provisioning.agent.netns import in_netns, libc
from provisioning.lab.sandbox import CLONE_NEWNS, CLONE_NEWUSER
from provisioning.lab.workload_network import apply_workload_network, workload_interface
from provisioning.lab.workloads import workload_namespace

CLONE_NEWNET = 0x40000000
LinkChange = Callable[[dict[str, Any], dict[str, Any]], None]


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

    def workloads(self) -> dict[tuple[str, str], dict[str, Any]]:
        """(tenant, connector) → what the lab announced of it."""
        found = (json.loads(p.read_text()) for p in sorted((self.root / "run/lab/workloads").glob("*.json")))
        return {(told["tenant"], told["connector"]): told for told in found}

    def workload(self, tenant: str, connector: str) -> dict[str, Any]:
        known = self.workloads()
        if (tenant, connector) not in known:
            there = ", ".join(f"{t} {c}" for t, c in known) or "none yet"
            raise LabError(f"there is no workload behind {tenant} {connector}; there are: {there}")
        return known[tenant, connector]

    def exec_in(self, tenant: str, connector: str, argv: list[str]) -> int:
        """Runs ``argv`` there with our standard input and output; returns its exit code."""
        space = self.workload(tenant, connector)["namespace"]
        child = os.fork()
        if child == 0:
            try:
                self._enter_namespaces(space)
                os.execvp(argv[0], argv)
            except FileNotFoundError:
                os.write(2, f"{argv[0]}: no such program on this machine\n".encode())
            except OSError as error:
                os.write(2, f"{error}\n".encode())
            os._exit(127)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)

    def cut(self, location: str, node: int | None = None) -> list[str]:
        """Takes a location's nodes off the network, with their agents. Returns the names of the nodes."""
        names = self._node_names(location, node)
        for name in names:
            self._signal(name, signal.SIGSTOP)
        self._run_in_lab(lambda: self._set_underlay_state(names, "down"))
        self._run_in_lab(lambda: self._change_circuits_of(names, self._set_link_down))
        return names

    def heal(self, location: str, node: int | None = None) -> list[str]:
        names = self._node_names(location, node)
        self._run_in_lab(lambda: self._set_underlay_state(names, "up"))
        self._run_in_lab(lambda: self._change_circuits_of(names, self._set_link_up))
        for name in names:
            self._signal(name, signal.SIGCONT)
        return names

    def flap(self, tenant: str, connector: str, circuit: str | None, seconds: float) -> None:
        """Drops a connector's circuit (all of them for None) and restores it."""
        told = self.workload(tenant, connector)
        links = [link for link in told["links"] if circuit in (None, link["circuit"])]
        if not links:
            names = ", ".join(sorted({link["circuit"] for link in told["links"]}))
            raise LabError(f"{tenant} {connector} has no circuit {circuit}; it has {names}")
        self._run_in_lab(lambda: self._change_links(self._set_link_down, told, links))
        try:
            time.sleep(seconds)
        finally:
            self._run_in_lab(lambda: self._change_links(self._set_link_up, told, links))

    # -- inside --------------------------------------------------------------------------------------------------------

    def _node_names(self, location: str, node: int | None) -> list[str]:
        names = [
            n
            for n in self.state["nodes"]
            if n.rpartition("/")[0] == location and (node is None or n.endswith(f"/{node}"))
        ]
        if not names:
            raise LabError(f"there is no {location}{f'/{node}' if node else ''} in the lab; there are: "
                           + ", ".join(sorted(self.state["nodes"])))  # fmt: skip
        return names

    def _signal(self, name: str, number: int) -> None:
        if pid := self.state["nodes"][name]["pid"]:
            os.kill(pid, number)

    def _enter_namespaces(self, space: str = "", mount: bool = False) -> None:
        """In a forked child: become root of the lab, and enter a workload's network."""
        wanted = []
        if os.readlink("/proc/self/ns/user") != os.readlink(f"/proc/{self.pid}/ns/user"):
            wanted.append((f"/proc/{self.pid}/ns/user", CLONE_NEWUSER))
        if space:
            wanted.append((str(self.root / "run/netns" / space), CLONE_NEWNET))
        if mount:
            wanted.append((f"/proc/{self.pid}/ns/mnt", CLONE_NEWNS))
        opened = [(os.open(path, os.O_RDONLY), kind) for path, kind in wanted]
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
            with in_netns(self.state["nodes"][name]["namespace"]), IPRoute() as node:
                node.link("set", index=node.link_lookup(ifname="underlay")[0], state=state)

    @staticmethod
    def _change_links(change: LinkChange, told: dict[str, Any], links: list[dict[str, Any]]) -> None:
        for link in links:
            change(told, link)

    def _change_circuits_of(self, names: list[str], change: LinkChange) -> None:
        for told, link, name in self._workload_links():
            if name in names:
                change(told, link)

    def _workload_links(self) -> Iterator[tuple[dict[str, Any], dict[str, Any], str]]:
        """(workload, link, node name) of every circuit; run inside, where the workloads' folder is at its own place."""
        for path in sorted(Path("/run/lab/workloads").glob("*.json")):
            told = json.loads(path.read_text())
            for link in told["links"]:
                if where := told["nodes"].get(link["node"]):
                    yield told, link, where

    def _set_link_down(self, told: dict[str, Any], link: dict[str, Any]) -> None:
        with in_netns(workload_namespace(told["tenant"], told["connector"])), IPRoute() as far:
            for index in far.link_lookup(ifname=workload_interface(link)):
                far.link("set", index=index, state="down")

    def _set_link_up(self, told: dict[str, Any], link: dict[str, Any]) -> None:
        with in_netns(workload_namespace(told["tenant"], told["connector"])), IPRoute() as far:
            for index in far.link_lookup(ifname=workload_interface(link)):
                far.link("set", index=index, state="up")
            apply_workload_network(far, told)
