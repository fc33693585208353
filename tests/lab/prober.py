"""Send probes from many workloads at once: one process inside the lab that reads commands as lines of JSON.

{"do": "listen", "spaces": […]}                     record the datagrams that arrive at port 8000 there, answer none
{"do": "probe", "probes": [[space, source, address, protocol, port or ICMP type, source port or null, DSCP], …],
 "wait": seconds}
    → [[name of the answerer, "" or null], [[space, source seen], …]] for each; a ping's reply has no name
{"do": "open", "flows": [[space, source, address, port], …]}   start TCP streams; → which are open
{"do": "look"} → the time (monotonic) of the last answer of each flow
{"do": "close"}
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import struct
import sys
import time
from functools import partial
from typing import Any

from provisioning.agent.netns import in_netns

SINK_PORT = 8000
PROBED_SOURCE_PORT, SOURCE_PORTS = 2000, 1000
"""Probes that ask for this source port are sent from it or one of those after it: one each, or they would wait for the
end of an earlier connection."""
ECHO_REQUEST, TIMESTAMP_REQUEST, ECHO_REQUEST_V6 = 8, 13, 128
ANSWERS = {ECHO_REQUEST: 0, TIMESTAMP_REQUEST: 14, ECHO_REQUEST_V6: 129}
STREAM_SECONDS = 0.05


SocketAddress = tuple[str, int]


class DatagramRecorder(asyncio.DatagramProtocol):
    """Record the senders of datagrams that arrive at one workload."""

    def __init__(self, space: str, seen: dict[str, list[list[str]]]) -> None:
        self.space, self.seen = space, seen

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.seen.setdefault(data.decode(errors="replace"), []).append([self.space, addr[0]])


class Prober:
    def __init__(self) -> None:
        self.seen: dict[str, list[list[str]]] = {}
        self.recorders: list[asyncio.BaseTransport] = []
        self.flows: list[asyncio.Task[None]] = []
        self.last: list[float] = []
        self.count = 0

    async def listen(self, spaces: list[str]) -> bool:
        """Open all sockets again: a namespace of the same name may have been replaced."""
        for transport in self.recorders:
            transport.close()
        self.recorders.clear()
        # Transports close in the next iteration of the loop.
        await asyncio.sleep(0.01)
        loop = asyncio.get_running_loop()
        for space in spaces:
            for address in ("0.0.0.0", "::"):
                line = open_socket(space, address, socket.SOCK_DGRAM)
                if ":" in address:
                    line.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                line.bind((address, SINK_PORT))
                transport, _ = await loop.create_datagram_endpoint(
                    partial(DatagramRecorder, space, self.seen), sock=line
                )
                self.recorders.append(transport)
        return True

    async def probe(self, probes: list[list[Any]], wait: float) -> list[Any]:
        return await asyncio.gather(*(self.probe_one(probe, wait) for probe in probes))

    async def probe_one(self, probe: list[Any], wait: float) -> list[Any]:
        space, source, address, protocol, number, source_port, dscp = probe
        self.count += 1
        name = f"probe {self.count}"
        sender = (source, source_port + self.count % SOURCE_PORTS if source_port else 0)
        try:
            if protocol == "icmp":
                answer = await asyncio.wait_for(self._ping(space, source, address, number, dscp), wait)
            elif protocol == "tcp":
                answer = await asyncio.wait_for(self._ask(space, sender, (address, number), dscp), wait)
            else:
                text = name.encode() if number == SINK_PORT else b"who"
                answer = await asyncio.wait_for(self._send(space, sender, (address, number), dscp, text), wait)
        except (OSError, TimeoutError):
            answer = None
        return [answer, self.seen.pop(name, [])]

    async def _ask(self, space: str, sender: SocketAddress, receiver: SocketAddress, dscp: int) -> str | None:
        loop = asyncio.get_running_loop()
        with open_socket(space, sender[0], socket.SOCK_STREAM, dscp=dscp) as line:
            line.bind(sender)
            await loop.sock_connect(line, receiver)
            await loop.sock_sendall(line, b"who\n")
            return (await loop.sock_recv(line, 200)).decode().partition("\n")[0] or None

    async def _send(
        self, space: str, sender: SocketAddress, receiver: SocketAddress, dscp: int, text: bytes
    ) -> str | None:
        loop = asyncio.get_running_loop()
        with open_socket(space, sender[0], socket.SOCK_DGRAM, dscp=dscp) as line:
            line.bind(sender)
            line.connect(receiver)
            await loop.sock_sendall(line, text)
            return (await loop.sock_recv(line, 200)).decode().partition(" ")[0]

    async def _ping(self, space: str, source: str, address: str, asked: int, dscp: int) -> str | None:
        loop = asyncio.get_running_loop()
        # The kernel's own pings are echo requests.
        kind = socket.SOCK_RAW if asked == TIMESTAMP_REQUEST else socket.SOCK_DGRAM
        protocol = socket.IPPROTO_ICMPV6 if asked == ECHO_REQUEST_V6 else socket.IPPROTO_ICMP
        with open_socket(space, source, kind, protocol, dscp) as line:
            line.bind((source, 0))
            line.connect((address, 0))
            number = self.count & 0xFFFF
            if kind == socket.SOCK_DGRAM:
                await loop.sock_sendall(line, struct.pack("!BBHHH", asked, 0, 0, 0, 1) + b"ping")
                answer = await loop.sock_recv(line, 200)
                return "" if answer[0] == ANSWERS[asked] else None
            message = struct.pack("!BBHHHIII", asked, 0, 0, number, 1, 0, 0, 0)
            checksum = internet_checksum(message)
            await loop.sock_sendall(line, message[:2] + struct.pack("!H", checksum) + message[4:])
            while True:
                # A raw socket hears every message from there, behind its IP header.
                answer = (await loop.sock_recv(line, 200))[20:]
                if answer[0] == ANSWERS[asked] and struct.unpack_from("!H", answer, 4)[0] == number:
                    return ""

    # -- live flows ----------------------------------------------------------------------------------------------------

    async def open(self, flows: list[list[Any]]) -> list[bool]:
        self.last = [0.0] * len(flows)
        self.flows = [asyncio.create_task(self._stream(index, *flow)) for index, flow in enumerate(flows)]
        end = time.monotonic() + 3
        while time.monotonic() < end and not all(self.last):
            await asyncio.sleep(0.02)
        return [moment > 0 for moment in self.last]

    async def _stream(self, index: int, space: str, source: str, address: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            with open_socket(space, source, socket.SOCK_STREAM) as line:
                line.bind((source, 0))
                await loop.sock_connect(line, (address, port))
                while True:
                    await loop.sock_sendall(line, b"tick\n")
                    if not await loop.sock_recv(line, 200):
                        return
                    self.last[index] = time.monotonic()
                    await asyncio.sleep(STREAM_SECONDS)
        except OSError:
            return

    async def look(self) -> list[float]:
        return self.last

    async def close(self) -> bool:
        for flow in self.flows:
            flow.cancel()
        await asyncio.gather(*self.flows, return_exceptions=True)
        self.flows, self.last = [], []
        return True


def internet_checksum(message: bytes) -> int:
    """Return the checksum of RFC 1071 over a message of whole 16-bit words."""
    total = sum(struct.unpack(f"!{len(message) // 2}H", message))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def open_socket(space: str, address: str, kind: int, protocol: int = 0, dscp: int = 0) -> socket.socket:
    six = ":" in address
    with in_netns(space):
        line = socket.socket(socket.AF_INET6 if six else socket.AF_INET, kind, protocol)
    level, option = (socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if six else (socket.IPPROTO_IP, socket.IP_TOS)
    if dscp:
        line.setsockopt(level, option, dscp << 2)
    line.setblocking(False)
    return line


async def main() -> None:
    prober = Prober()
    reader = asyncio.StreamReader(limit=1 << 26)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        answer = await getattr(prober, command.pop("do"))(**command)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(main())
