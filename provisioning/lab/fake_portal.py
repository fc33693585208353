"""A portal with nothing behind it: serves signed documents to agents and keeps what they report.

For packet tests and for trying the agent by hand; the real portal speaks the same three requests.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provisioning.core.values.resource import canonical_json, content_digest


class FakePortal:
    """``documents``: node name ("eu/1") → (text, signature). A node's token is its name."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._changed = threading.Condition()
        self._version = 0
        self.documents: dict[str, tuple[str, str]] = {}
        self.reports: dict[str, dict[str, Any]] = {}
        self.is_unavailable = False
        portal = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                portal._document(self)

            def do_POST(self) -> None:
                portal._report(self)

            def log_message(self, *_: Any) -> None:
                """Silence."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """An agent that was killed in mid-question is no news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def public_key(self) -> str:
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def publish(self, nodes: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> float:
        """node → section key → section without digest. Returns the moment (monotonic) at which it was served."""
        with self._changed:
            self._version += 1
            for node, sections in nodes.items():
                location, _, index = node.rpartition("/")
                text = canonical_json(
                    {
                        "node": {"id": node, "location": location, "index": int(index)},
                        "version": self._version,
                        "sections": {k: {**s, "digest": content_digest(s["body"])} for k, s in sections.items()},
                    }
                )
                self.documents[node] = (text, base64.b64encode(self._key.sign(text.encode())).decode())
            self._changed.notify_all()
            return time.monotonic()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_until_applied(self, seconds: float = 20) -> bool:
        """True when every node has reported every digest of its newest document; raises what one could not apply."""
        end = time.monotonic() + seconds
        with self._changed:
            while time.monotonic() < end:
                if all(self._is_applied(node, text) for node, (text, _) in self.documents.items()):
                    return True
                self._changed.wait(0.2)
        return False

    def _is_applied(self, node: str, text: str) -> bool:
        report, document = self.reports.get(node), json.loads(text)
        if not report or report["version"] != document["version"]:
            return False
        if report["failed"]:
            raise AssertionError(f"{node}: {report['failed']}")
        return bool(report["applied"] == {k: s["digest"] for k, s in document["sections"].items()})

    def counter(self, key: str) -> int:
        """Over all nodes."""
        with self._changed:
            return sum(int(report["counters"].get(key, 0)) for report in self.reports.values())

    # -- the three requests ----------------------------------------------------------------------------------------

    def _node(self, request: BaseHTTPRequestHandler) -> str:
        return request.headers.get("Authorization", "").removeprefix("Node ")

    def _document(self, request: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(request.path).query)
        node, have = self._node(request), query.get("have", [""])[0]
        end = time.monotonic() + float(query.get("wait", ["0"])[0])
        with self._changed:
            while time.monotonic() < end and not self._is_newer(node, have):
                self._changed.wait(end - time.monotonic())
            fresh = self.documents[node] if self._is_newer(node, have) else None
        if self.is_unavailable:
            _respond(request, 503, None)
        elif fresh is None:
            _respond(request, 204, None)
        else:
            _respond(request, 200, {"document": fresh[0], "signature": fresh[1]})

    def _is_newer(self, node: str, have: str) -> bool:
        text = self.documents.get(node, ("", ""))[0]
        return bool(text) and hashlib.sha256(text.encode()).hexdigest() != have

    def _report(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        if self.is_unavailable:
            _respond(request, 503, None)
            return
        with self._changed:
            self.reports[self._node(request)] = body
            self._changed.notify_all()
        _respond(request, 200, {})


def _respond(request: BaseHTTPRequestHandler, status: int, body: Any) -> None:
    raw = b"" if body is None else json.dumps(body).encode()
    request.send_response(status)
    request.send_header("Content-Length", str(len(raw)))
    request.end_headers()
    request.wfile.write(raw)
