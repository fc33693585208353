"""The servers of all workloads: one process with sockets in every workload's namespace.

TCP: an HTTP request gets a small page that names the workload; anybody else is greeted with the name and echoed.
UDP: echo; "who" is answered with the name, and the address that the asker has here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from pathlib import Path
from typing import Any

from provisioning.agent.netns import in_netns, netns_path
from provisioning.lab.traffic import TrafficGenerator
from provisioning.lab.workload_description import WorkloadDescription
from provisioning.lab.workloads import WORKLOADS_DIR

log = logging.getLogger("causeway.lab.servers")

TCP_PORTS = (22, 25, 53, 80, 389, 443, 445, 1433, 3306, 3389, 5432, 8000, 8080, 8443)
UDP_PORTS = (53, 123, 514, 5060)
SCAN_SECONDS = 0.1
HTTP_WAIT_SECONDS = 0.3
"""Seconds a caller may take to show that it speaks HTTP, before it is greeted."""


class WorkloadServers:
    """Opens and closes services as workloads are announced and withdrawn."""

    def __init__(self, traffic: bool) -> None:
        self.open: dict[str, list[asyncio.BaseTransport | asyncio.AbstractServer]] = {}
        self.serving: dict[str, tuple[int, list[str]]] = {}
        """workload → (which namespace it was, its addresses) when its services were opened"""
        self.traffic = TrafficGenerator() if traffic else None

    async def run(self) -> None:
        seen: dict[str, int] = {}
        while True:
            present = {path.stem: path for path in WORKLOADS_DIR.glob("*.json")}
            for name in self.open.keys() - present.keys():
                self._close(name)
                seen.pop(name, None)
                if self.traffic:
                    self.traffic.remove_workload(name)
            for name, path in present.items():
                try:
                    changed = path.stat().st_mtime_ns
                    if seen.get(name) != changed:
                        await self._serve(name, json.loads(path.read_text()))
                        seen[name] = changed
                except OSError as error:
                    log.debug("%s went away while it was opened: %s", name, error)
            await asyncio.sleep(SCAN_SECONDS)

    async def _serve(self, name: str, workload: WorkloadDescription) -> None:
        if self.traffic:
            self.traffic.add_workload(name, workload)
        wanted = os.stat(netns_path(name)).st_ino, workload["addresses"]
        if self.serving.get(name) == wanted:
            return
        self._close(name)
        loop, label = asyncio.get_running_loop(), f"{workload['tenant']}/{workload['connector']}"
        opened: list[asyncio.BaseTransport | asyncio.AbstractServer] = []
        everywhere = dict.fromkeys("::" if ":" in address else "0.0.0.0" for address in workload["addresses"])
        for address in everywhere:
            for port in TCP_PORTS:
                listener = _open_socket(name, socket.SOCK_STREAM, address, port)
                opened.append(await asyncio.start_server(lambda r, w: _serve_tcp(label, r, w), sock=listener))
        # A socket for each address, so that a datagram is answered from the address it was sent to.
        for address in workload["addresses"]:
            for port in UDP_PORTS:
                datagrams = _open_socket(name, socket.SOCK_DGRAM, address, port)
                transport, _ = await loop.create_datagram_endpoint(lambda: _UdpEcho(label), sock=datagrams)
                opened.append(transport)
        self.open[name], self.serving[name] = opened, wanted

    def _close(self, name: str) -> None:
        self.serving.pop(name, None)
        for server in self.open.pop(name, []):
            server.close()


def _open_socket(name: str, kind: int, address: str, port: int) -> socket.socket:
    is_ipv6 = ":" in address
    with in_netns(name):
        listener = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_ipv6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.setblocking(False)
    listener.bind((address, port))
    return listener


async def _serve_tcp(label: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        try:
            first = await asyncio.wait_for(reader.read(65536), HTTP_WAIT_SECONDS)
        except TimeoutError:
            first = b""
        if first.startswith((b"GET ", b"HEAD ")):
            page = f"<!doctype html><title>{label}</title><h1>{label}</h1>\n".encode()
            head = f"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n".encode()
            writer.write(head + (b"" if first.startswith(b"HEAD") else page))
        else:
            writer.write(f"{label}\n".encode() + first)
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        await writer.drain()
    except OSError as error:
        log.debug("%s: %s", label, error)
    finally:
        writer.close()


class _UdpEcho(asyncio.DatagramProtocol):
    def __init__(self, label: str) -> None:
        self.label = label

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        reply = f"{self.label} {addr[0]}".encode() if data == b"who" else data
        self.transport.sendto(reply, addr)


def main(traffic: bool) -> None:
    Path("/proc/self/comm").write_text("causeway-srv")
    asyncio.run(WorkloadServers(traffic).run())
