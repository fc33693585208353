"""Reads named nft counters over netlink, without starting ``nft``: a node has dozens of namespaces and reports often.

Message layout: linux/netfilter/nf_tables.h (NFT_MSG_GETOBJ, nested attributes NFTA_OBJ_*, NFTA_COUNTER_*).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator

from provisioning.agent.netns import in_netns

NETLINK_NETFILTER = 12
GET_OBJECT = 10 << 8 | 19  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETOBJ
REQUEST_DUMP = 0x01 | 0x300
DONE, ERROR = 3, 2
NFPROTO_INET = 1
OBJECT_TABLE, OBJECT_NAME, OBJECT_TYPE, OBJECT_DATA = 1, 2, 3, 4
COUNTER_OBJECT = 1
COUNTER_BYTES, COUNTER_PACKETS = 1, 2
TYPE_MASK = 0x3FFF


class CounterReader:
    """One netlink socket in one namespace."""

    def __init__(self, namespace: str) -> None:
        with in_netns(namespace):
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER)
        self._socket.bind((0, 0))
        self._socket.settimeout(5)

    def read(self) -> dict[str, tuple[int, int]]:
        """Return counter name → (bytes, packets)."""
        attributes = _pack_attribute(OBJECT_TABLE, b"causeway\0") + _pack_attribute(
            OBJECT_TYPE, struct.pack(">I", COUNTER_OBJECT)
        )
        body = struct.pack("BBH", NFPROTO_INET, 0, 0) + attributes
        self._socket.send(struct.pack("IHHII", 16 + len(body), GET_OBJECT, REQUEST_DUMP, 1, 0) + body)
        counters: dict[str, tuple[int, int]] = {}
        while True:
            data = self._socket.recv(1 << 17)
            offset = 0
            while offset + 16 <= len(data):
                length, kind = struct.unpack_from("IH", data, offset)
                if kind == DONE:
                    return counters
                if kind == ERROR:
                    number = -struct.unpack_from("i", data, offset + 16)[0]
                    if number == errno.ENOENT:
                        return counters
                    raise OSError(number, f"reading nft counters: {os.strerror(number)}")
                fields = dict(_unpack_attributes(data[offset + 20 : offset + length]))
                name = fields[OBJECT_NAME].rstrip(b"\0").decode()
                values = dict(_unpack_attributes(fields[OBJECT_DATA]))
                counters[name] = (_unpack_u64(values[COUNTER_BYTES]), _unpack_u64(values[COUNTER_PACKETS]))
                offset += (length + 3) & ~3

    def close(self) -> None:
        self._socket.close()


def _pack_attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _unpack_attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("HH", data, offset)
        yield kind & TYPE_MASK, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def _unpack_u64(value: bytes) -> int:
    return int(struct.unpack(">Q", value)[0])
