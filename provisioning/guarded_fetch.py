"""Fetching a file from a URL that a tenant chose, so that it reaches nothing but the public internet.

A name is resolved once and the connection is made to an address that was checked, so a name that resolves otherwise a
moment later gains nothing (OWASP, Server-Side Request Forgery Prevention Cheat Sheet). Every redirect is checked as the
first URL is. No proxy of the environment is used.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from django.conf import settings

from provisioning.core.values.addresses import NOT_PUBLIC_RANGES, address_number, contains

MAX_BYTES = 10_000_000
TIMEOUT = 30.0
"""Seconds for all of it, redirects too."""
CONNECT_TIMEOUT = 5.0
MAX_REDIRECTS = 3
DEFAULT_PORTS = {"https": 443, "http": 80}
REDIRECTS = (301, 302, 303, 307, 308)
NOT_HOSTS = tuple(
    map(ipaddress.ip_network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16"))
)
"""What else is no host of the internet: addresses at which clouds (Azure, Oracle) tell machines about themselves, and
those that hold an IPv4 address, which is not looked at (RFC 6890)."""


class FetchFailed(Exception):
    """Nothing was fetched; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """``data``: None where it is still what ``etag`` or ``last_modified`` of the time before stand for."""

    data: bytes | None
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class _Target:
    """The parts of a URL that may be fetched. address: the IP address that was checked, where the connection goes."""

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def fetch_file(url: str, *, etag: str = "", last_modified: str = "") -> FetchedFile:
    """Return the file at the URL; ``etag`` and ``last_modified`` are those of the time before. Raises FetchFailed."""
    conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    headers = {name: value for name, value in conditions.items() if value}
    deadline = time.monotonic() + TIMEOUT
    for _ in range(MAX_REDIRECTS + 1):
        target = _check_target(url)
        with _answer(target, headers, deadline) as response:
            location = response.getheader("Location")
            if response.status in REDIRECTS and location:
                url = _join(url, location)
                continue
            if response.status == 304 and headers:
                return FetchedFile(None, etag, last_modified)
            if response.status != 200:
                raise FetchFailed(f"{target.host} answered {response.status} {response.reason[:60]}.")
            data = _read(response)
            return FetchedFile(data, _header(response, "ETag"), _header(response, "Last-Modified"))
    raise FetchFailed(f"More than {MAX_REDIRECTS} redirects, the last one to {url[:100]}.")


def _check_target(url: str) -> _Target:
    """Return where to connect for a URL. Raises FetchFailed where it leads to what tenants may not reach."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise FetchFailed(f"“{url[:100]}” is no address: {error}.") from error
    if (
        parts.scheme not in DEFAULT_PORTS
        or not host
        or not host.isascii()
        or "@" in parts.netloc
        or not url.isprintable()
    ):
        raise FetchFailed(
            f"“{url[:100]}” is no address of a file. Write it like https://HOST/FILE, without a user name."
        )
    addresses = _resolve(host, port)
    if not _is_allowed(host, addresses):
        if parts.scheme != "https" or port != DEFAULT_PORTS["https"]:
            raise FetchFailed(f"{host} is asked over https on port 443 only. The operator can allow it otherwise.")
        if not all(map(is_public_address, addresses)):
            raise _no_public_host(host)
    return _Target(parts.scheme, host, port, addresses[0], _path(parts))


def _no_public_host(host: str) -> FetchFailed:
    """Return the same refusal for a name that does not exist and for one inside: who asks learns no names of ours."""
    return FetchFailed(f"There is no host {host} on the public internet. The operator can allow others.")


def _join(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise FetchFailed(f"The redirect to “{location[:100]}” is no address: {error}.") from error


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _resolve(host: str, port: int) -> list[str]:
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _no_public_host(host) from error
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))


def is_public_address(text: str) -> bool:
    """Return whether an address can be a host on the public internet."""
    address = ipaddress.ip_address(text)
    if not address.is_global or any(address in network for network in NOT_HOSTS):
        return False
    return not contains(NOT_PUBLIC_RANGES, address_number(str(address)))


def _is_allowed(host: str, addresses: Sequence[str]) -> bool:
    """Return whether the operator named the host, or the networks of all its addresses (LIST_SOURCE_HOSTS)."""
    networks = []
    for name in settings.LIST_SOURCE_HOSTS:
        if name.casefold() == host.casefold():
            return True
        try:
            networks.append(ipaddress.ip_network(name))
        except ValueError:
            continue  # the name of another host
    return all(any(ipaddress.ip_address(address) in network for network in networks) for address in addresses)


@contextmanager
def _answer(target: _Target, headers: Mapping[str, str], deadline: float) -> Iterator[http.client.HTTPResponse]:
    """Yield the answer, its body still to be read; all of it ends at the deadline. Raises FetchFailed."""
    connection = http.client.HTTPConnection(target.host, target.port)
    try:
        connection.sock = sock = _connect(target)
        with _cut_off(sock, deadline):
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            sent = {"Host": target.host_header, "Accept-Encoding": "identity", "User-Agent": "Causeway", **headers}
            connection.request("GET", target.path, headers=sent)
            yield connection.getresponse()
        if time.monotonic() >= deadline:
            raise TimeoutError
    except (OSError, http.client.HTTPException) as error:
        late = time.monotonic() >= deadline
        reason = f"it took more than {TIMEOUT:.0f} seconds" if late else str(error) or type(error).__name__
        raise FetchFailed(f"{target.host} did not answer as it should: {reason}.") from error
    finally:
        connection.close()


def _connect(target: _Target) -> socket.socket:
    sock = socket.create_connection((target.address, target.port), timeout=CONNECT_TIMEOUT)
    if target.scheme == "http":
        return sock
    # Whoever cuts the connection makes no file that looks whole: an end without close_notify is an error.
    return ssl.create_default_context().wrap_socket(
        sock, server_hostname=target.host, do_handshake_on_connect=False, suppress_ragged_eofs=False
    )


@contextmanager
def _cut_off(sock: socket.socket, deadline: float) -> Iterator[None]:
    """Shut the connection at the deadline: a socket's own timeout starts anew with every byte that comes."""

    def shut() -> None:
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    clock = threading.Timer(max(deadline - time.monotonic(), 0), shut)
    clock.daemon = True
    clock.start()
    try:
        yield
    finally:
        clock.cancel()


def _read(response: http.client.HTTPResponse) -> bytes:
    """Return the body as it was sent: nothing is decompressed, so a few bytes cannot become gigabytes."""
    encoding = _header(response, "Content-Encoding")
    if encoding not in ("", "identity"):
        raise FetchFailed(f"The file comes compressed ({encoding[:20]}) though that was not asked for.")
    data = response.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FetchFailed(f"The file has more than {MAX_BYTES // 1_000_000} MB.")
    if response.length:
        raise FetchFailed("The answer ended before the file did.")
    return data


def _header(response: http.client.HTTPResponse, name: str) -> str:
    """Return a header as it can be sent back; "" where it is none, or too long."""
    value = (response.getheader(name) or "").strip()
    return value if len(value) <= 200 and value.isprintable() and value.isascii() else ""
