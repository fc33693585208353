"""What moto leaves out of AWS: things take time, calls fail, answers get lost, listings have pages.

A small HTTP proxy in front of moto's server. Rules say what happens to which operation:

    POST   /_faults  {"rules": [{"operation": "CreateTransitGateway", "fault": "lost", "times": 1}, …],
                      "pending": {"transit-gateway": 2.0, "attachment": 2.0, "vpn": 5.0, "route-table": 1.0}}
    DELETE /_faults  no rules, nothing pending
    GET    /_calls   [{"operation", "region", "status", "fault"}, …] in the order they came; DELETE empties it

faults   throttle   503 RequestLimitExceeded             lost     carried out, connection cut before the answer
         down       500 InternalError                    dropped  connection cut, not carried out
         error      400 with the rule's code, message    slow     answered after ``seconds``
         page       a listing of at most ``size`` items and a NextToken
``operation`` may be "*"; ``times`` counts down (left out: for ever).

While something is pending it says so when listed, and calls that build on it are refused with IncorrectState, as AWS
does; so is taking down what something else still hangs on.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree

HOST = "127.0.0.1"
PENDING_KINDS = {"tgw-attach": "attachment", "tgw-rtb": "route-table", "tgw": "transit-gateway", "vpn": "vpn"}
"""Prefix of an id → the word rules use for it; longer prefixes first."""
DEPENDENT_CALLS = ("Create", "Associate", "Enable", "Modify", "Replace")
CREATES = {
    "CreateTransitGateway": "transitGatewayId",
    "CreateTransitGatewayRouteTable": "transitGatewayRouteTableId",
    "CreateTransitGatewayVpcAttachment": "transitGatewayAttachmentId",
    "CreateVpnConnection": "vpnConnectionId",
}
DEPENDENTS = {
    "DeleteTransitGateway": (
        "TransitGatewayId",
        "DescribeTransitGatewayAttachments",
        "transit-gateway-id",
        "has non-deleted attachments",
    ),
    "DeleteCustomerGateway": (
        "CustomerGatewayId",
        "DescribeVpnConnections",
        "customer-gateway-id",
        "is in use by a VPN connection",
    ),
}
"""Deletion → (its argument, listing that shows what hangs on it, filter, what AWS says)."""


@dataclass
class FaultState:
    """The rules in force and what came by; shared by all requests."""

    upstream: str
    rules: list[dict[str, Any]] = field(default_factory=list)
    pending: dict[str, float] = field(default_factory=dict)
    pending_until: dict[str, float] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add_rules(self, wanted: Mapping[str, Any]) -> None:
        with self.lock:
            self.rules.extend(dict(rule) for rule in wanted.get("rules", []))
            self.pending.update(wanted.get("pending", {}))

    def clear(self) -> None:
        with self.lock:
            self.rules.clear()
            self.pending.clear()
            self.pending_until.clear()

    def take_rule(self, operation: str) -> dict[str, Any]:
        """The first rule for this operation that is not used up; counts it."""
        with self.lock:
            for rule in self.rules:
                if rule["operation"] in {operation, "*"} and rule.get("times", 1) > 0:
                    if "times" in rule:
                        rule["times"] -= 1
                    return dict(rule)
        return {}

    def start_pending(self, identifier: str) -> None:
        kind = next((word for prefix, word in PENDING_KINDS.items() if identifier.startswith(f"{prefix}-")), "")
        if seconds := self.pending.get(kind, 0):
            with self.lock:
                self.pending_until[identifier] = time.monotonic() + seconds

    def is_pending(self, identifier: str) -> bool:
        return self.pending_until.get(identifier, 0) > time.monotonic()


class FaultProxyHandler(BaseHTTPRequestHandler):
    """One request: control, or a call to AWS."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet; two would wait 40 ms for an acknowledgement
    state: FaultState

    def do_GET(self) -> None:
        if self.path == "/_calls":
            self._send_json(self.state.calls)
        else:
            self._relay("GET", b"")

    def do_DELETE(self) -> None:
        if self.path == "/_calls":
            self.state.calls.clear()
        else:
            self.state.clear()
        self._send_json({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/_faults":
            self.state.add_rules(json.loads(body))
            self._send_json({"rules": self.state.rules, "pending": self.state.pending})
        else:
            self._relay("POST", body)

    def _relay(self, method: str, body: bytes) -> None:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        operation = form.get("Action", "")
        rule = self.state.take_rule(operation) if operation else {}
        fault = rule.get("fault", "")
        log = {"operation": operation, "region": self._region(), "status": 0, "fault": fault}
        self.state.calls.append(log)
        if fault == "slow":
            time.sleep(float(rule["seconds"]))
        if fault == "dropped":
            return self._cut_connection()
        refused = _error_of_rule(rule) or self._pending_error(operation, form) or self._in_use_error(operation, form)
        if refused:
            log["status"] = refused[0]
            return self._send_error(*refused)
        page = int(rule["size"]) if fault == "page" else None
        offset = int(form.get("NextToken") or 0) if page else 0
        sent = urlencode({k: v for k, v in form.items() if k not in {"NextToken", "MaxResults"}}) if page else None
        status, headers, answer = self._forward(method, sent.encode() if sent is not None else body)
        log["status"] = status
        if status == 200 and operation:
            answer = self._modify_answer(operation, answer, page, offset)
        if fault == "lost":
            return self._cut_connection()
        return self._send(status, headers, answer)

    def _pending_error(self, operation: str, form: Mapping[str, str]) -> tuple[int, str, str] | None:
        """AWS refuses to build on what is still pending."""
        if not operation.startswith(DEPENDENT_CALLS):
            return None
        for value in form.values():
            if self.state.is_pending(value):
                return 400, "IncorrectState", f"{value} is in invalid state: pending"
        return None

    def _in_use_error(self, operation: str, form: Mapping[str, str]) -> tuple[int, str, str] | None:
        if operation not in DEPENDENTS:
            return None
        argument, listing, name, message = DEPENDENTS[operation]
        identifier = form.get(argument, "")
        query = {"Action": listing, "Version": form["Version"], "Filter.1.Name": name, "Filter.1.Value.1": identifier}
        _, _, answer = self._forward("POST", urlencode(query).encode())
        living = [
            item for item in _items(ElementTree.fromstring(answer)) if _child_text(item, "state") not in {"deleted"}
        ]
        return (400, "IncorrectState", f"{identifier} {message}.") if living else None

    def _modify_answer(self, operation: str, answer: bytes, page: int | None, offset: int) -> bytes:
        """The answer with pending states in it, and one page of it where pages were asked for."""
        root = ElementTree.fromstring(answer)
        if operation in CREATES:
            for element in root.iter():
                if _local_name(element) == CREATES[operation] and element.text:
                    self.state.start_pending(element.text)
        for element in root.iter():
            state = _child(element, "state")
            if state is None or state.text != "available":
                continue
            if any(child.text and self.state.is_pending(child.text) for child in _identifying_children(element)):
                state.text = "pending"
        if page:
            _cut_page(root, page, offset)
        if root.tag.startswith("{"):
            ElementTree.register_namespace("", root.tag[1:].partition("}")[0])
        return ElementTree.tostring(root)

    def _forward(self, method: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.state.upstream, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in {"host", "content-length", "connection"}}
        try:
            connection.request(method, self.path, body, {**headers, "Host": self.headers["Host"]})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def _region(self) -> str:
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/", self.headers.get("Authorization", ""))
        return scope.group(1) if scope else ""

    def _cut_connection(self) -> None:
        """Close without a word, as a network does that breaks at the wrong moment."""
        self.close_connection = True

    def _send_error(self, status: int, code: str, message: str) -> None:
        text = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            "<RequestID>lab</RequestID></Response>"
        )
        self._send(status, {"Content-Type": "text/xml"}, text.encode())

    def _send_json(self, value: object) -> None:
        self._send(200, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "connection", "transfer-encoding", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing on the terminal: /_calls is the log."""


def _error_of_rule(rule: Mapping[str, Any]) -> tuple[int, str, str] | None:
    match rule.get("fault"):
        case "throttle":
            return 503, "RequestLimitExceeded", "Request limit exceeded."
        case "down":
            return 500, "InternalError", "An internal error has occurred"
        case "error":
            return int(rule.get("status", 400)), rule["code"], rule["message"]
    return None


def _cut_page(root: ElementTree.Element, size: int, offset: int) -> None:
    """Keep items offset…offset+size of the first list in the answer, and say where the next page begins."""
    for element in root:
        items = [child for child in element if _local_name(child) == "item"]
        if not items:
            continue
        for index, item in enumerate(items):
            if not offset <= index < offset + size:
                element.remove(item)
        if offset + size < len(items):
            namespace = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
            ElementTree.SubElement(root, f"{namespace}nextToken").text = str(offset + size)
        return


def _items(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    for element in root:
        yield from (child for child in element if _local_name(child) == "item")


def _identifying_children(element: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """The children that say which thing an element is about: its own id, or the one an attachment is made for."""
    own = {_local_name(child): child for child in element}
    for name in ("transitGatewayAttachmentId", "transitGatewayRouteTableId", "vpnConnectionId", "transitGatewayId"):
        if name in own:
            yield own[name]
            break
    if "resourceId" in own:
        yield own["resourceId"]


def _local_name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _child(element: ElementTree.Element, name: str) -> ElementTree.Element | None:
    return next((child for child in element if _local_name(child) == name), None)


def _child_text(element: ElementTree.Element, name: str) -> str:
    child = _child(element, name)
    return (child.text or "") if child is not None else ""


def make_proxy(upstream: str, port: int = 0) -> ThreadingHTTPServer:
    """A proxy in front of ``upstream`` (http://host:port), not serving yet; its ``state`` is the handler's."""
    state = FaultState(urlsplit(upstream).netloc)
    handler = type("Proxy", (FaultProxyHandler,), {"state": state})
    made = ThreadingHTTPServer((HOST, port), handler)
    made.daemon_threads = True
    return made


@contextmanager
def running_proxy(upstream: str, port: int = 0) -> Iterator[str]:
    """The proxy in a thread of this process; yields its endpoint."""
    proxy = make_proxy(upstream, port)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{proxy.server_port}"
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", required=True, help="http://127.0.0.1:PORT of moto")
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    make_proxy(chosen.upstream, chosen.port).serve_forever()
