"""A web server on this machine that a list is fetched from, and settings that allow it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.test import override_settings


@dataclass
class ListServer:
    """``answers``: path → status, headers and body; ``asked``: the paths and headers that came."""

    port: int
    scheme: str = "http"
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str = "/list.txt") -> str:
        host = "localhost" if self.scheme == "https" else "127.0.0.1"
        return f"{self.scheme}://{host}:{self.port}{path}"

    def put(self, *lines: str, etag: str = "") -> None:
        headers = {"ETag": etag} if etag else {}
        self.answers["/list.txt"] = (200, headers, "".join(f"{line}\n" for line in lines).encode())


@contextmanager
def serve_lists(allowed: str = "127.0.0.0/8", tls: ssl.SSLContext | None = None) -> Iterator[ListServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append((self.path, dict(self.headers)))
            status, headers, body = served.answers.get(self.path, (404, {}, b""))
            etag = headers.get("ETag")
            if etag and self.headers.get("If-None-Match") == etag:
                status, body = 304, b""
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = ListServer(server.server_port, "https" if tls else "http")
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        with override_settings(LIST_SOURCE_HOSTS=[allowed]):
            yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
