"""A portal with nothing behind it: serves signed documents to agents and keeps what they report.

For packet tests and for trying the agent by hand; the real portal answers the same three requests.
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

from provisioning.core.node_document import VERSION, DocumentJson, SectionJson
from provisioning.core.values.resource import canonical_json


class FakePortal:
    """``documents``: node at its location ("aws-eu-central-1/1") → (text, signature). A node's token is its name."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._changed = threading.Condition()
        self._serial = 0
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

    def publish(self, nodes: Mapping[str, Mapping[str, SectionJson]], version: int = VERSION) -> float:
        """Serve new documents: node → section key → section. Return the moment (monotonic) it happened."""
        with self._changed:
            self._serial += 1
            for node, sections in nodes.items():
                location, _, index = node.rpartition("/")
                document: DocumentJson = {
                    "version": version,
                    "serial": self._serial,
                    "node": {"id": node, "location": location, "index": int(index)},
                    "sections": dict(sections),
                }
                text = canonical_json(document)
                self.documents[node] = (text, base64.b64encode(self._key.sign(text.encode())).decode())
            self._changed.notify_all()
            return time.monotonic()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_until_applied(self, seconds: float = 20) -> bool:
        """Return whether, in time, every node reported every digest of its newest document.

        Raises AssertionError with what a node could not apply.
        """
        end = time.monotonic() + seconds
        with self._changed:
            while time.monotonic() < end:
                if all(self._is_applied(node, text) for node, (text, _) in self.documents.items()):
                    return True
                self._changed.wait(0.2)
        return False

    def _is_applied(self, node: str, text: str) -> bool:
        report, document = self.reports.get(node), json.loads(text)
        if not report or report["serial"] != document["serial"]:
            return False
        if report["failed"]:
            raise AssertionError(f"{node}: {report['failed']}")
        digests = {key: section["digest"] for key, section in document["sections"].items()}
        return bool(report["applied"] == digests)

    def counter(self, key: str) -> int:
        """Return what all nodes counted under the key."""
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
            newer = self.documents[node] if self._is_newer(node, have) else None
        if self.is_unavailable:
            _respond(request, 503, None)
        elif newer is None:
            _respond(request, 204, None)
        else:
            _respond(request, 200, {"document": newer[0], "signature": newer[1]})

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
