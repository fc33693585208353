"""One exchange node's agent: ask for the document, make it true, say what is so.

Three threads: one asks (long poll), one works in the kernel (applies, counts), one delivers the reports. A document is
applied whole, but a section that fails fails alone. Whatever happens to the portal or to this process, the kernel goes
on forwarding.
"""

from __future__ import annotations

import base64
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from provisioning.agent.counter_totals import CounterTotals
from provisioning.agent.document import EMPTY_DOCUMENT, NodeDocument, UntrustedDocument, verify_document
from provisioning.agent.kernel_reconciler import KernelReconciler
from provisioning.agent.netlink import Netlink
from provisioning.agent.portal_client import PortalClient
from provisioning.agent.render import render_node
from provisioning.agent.state import AgentState

log = logging.getLogger("causeway.agent")

DEBOUNCE_SECONDS = 0.05
REPORT_SECONDS = 2.0
RETRY_SECONDS = 1.0


@dataclass
class Agent:
    """``prefix`` begins the names of this node's namespaces. ``simulate``: believe everything, touch nothing."""

    location: str
    index: int
    portal: PortalClient
    state: AgentState
    netlink: Netlink
    prefix: str = "cw."
    public_key: str = ""
    enrollment_key: str = ""
    simulate: bool = False
    document: NodeDocument = EMPTY_DOCUMENT
    applied: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    apply_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.kernel = KernelReconciler(self.netlink, self.prefix, self._on_carrier_change)
        self._wake, self._report_ready, self._stop = threading.Event(), threading.Event(), threading.Event()
        self._document_ready, self._carrier_changed = threading.Event(), threading.Event()
        self._resumed = threading.Event()
        self._report: dict[str, Any] = {}
        self._warned: set[str] = set()
        self._received: NodeDocument = EMPTY_DOCUMENT
        self._totals = CounterTotals(**self.state.load("counters", {}))

    # -- threads ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until ``stop``; the caller's thread is the one that works in the kernel, and may not come back from there."""
        for target in (self._poll_documents, self._send_reports):
            threading.Thread(target=target, daemon=True).start()
        self.resume()
        self._resumed.set()
        due = 0.0
        while not self._stop.is_set():
            if self._wake.wait(max(0.0, min(due - time.monotonic(), RETRY_SECONDS))):
                self._wake.clear()
                if self._carrier_changed.is_set():
                    self._carrier_changed.clear()
                    self.kernel.follow_carriers()
                if self._document_ready.is_set():
                    time.sleep(DEBOUNCE_SECONDS)
                    self._document_ready.clear()
                    self.apply_document(self._received)
                    due = 0.0
            elif self.kernel.needs_retry:
                self.apply_document(self.document)
            if time.monotonic() >= due:
                due = time.monotonic() + REPORT_SECONDS
                self._report = self.report()
                self._report_ready.set()

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()
        self._report_ready.set()

    def _on_carrier_change(self) -> None:
        self._carrier_changed.set()
        self._wake.set()

    def _poll_documents(self) -> None:
        self._resumed.wait()
        have, quiet = self.document.digest, 0.2
        while not self._stop.is_set():
            try:
                self._ensure_enrolled()
                answer = self.portal.poll_document(have)
                quiet = 0.2
                if answer is None:
                    continue
                document = verify_document(answer["document"], answer["signature"], self._portal_key())
                have, self._received = document.digest, document
                self._document_ready.set()
                self._wake.set()
            except (httpx.HTTPError, UntrustedDocument, ValueError, KeyError) as error:
                self._discard_refused_token(error)
                self._warn_once(f"no document: {error}; forwarding goes on as before")
                self._stop.wait(quiet)
                quiet = min(quiet * 2, 5)

    def _send_reports(self) -> None:
        while not self._stop.is_set():
            self._report_ready.wait()
            self._report_ready.clear()
            if self._stop.is_set() or not self.portal.token:
                continue
            try:
                self.portal.report(self._report)
                self._warned.clear()
            except httpx.HTTPError as error:
                self._warn_once(f"report not delivered: {error}")

    def _warn_once(self, message: str) -> None:
        """Once, until the portal answers again."""
        if message not in self._warned:
            self._warned.add(message)
            log.warning("%s/%s: %s", self.location, self.index, message)

    # -- trust -----------------------------------------------------------------------------------------------------

    def _ensure_enrolled(self) -> None:
        if self.portal.token:
            return
        kept = self.state.load("token", {})
        if not kept:
            token, key = self.portal.enroll(self.location, self.index, self.enrollment_key, self.state.epoch)
            kept = {"token": token, "public_key": key}
            self.state.save("token", kept)
        self.portal.token, self.public_key = kept["token"], kept["public_key"]

    def _discard_refused_token(self, error: Exception) -> None:
        refused = isinstance(error, httpx.HTTPStatusError) and error.response.status_code in (401, 403)
        if refused and self.enrollment_key:
            self.state.save("token", {})
            self.portal.token = ""

    def _portal_key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(self.public_key))

    # -- applying --------------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """Converges from the last document, before anybody is asked."""
        kept = self.state.load("document", {})
        if kept:
            self.public_key = self.public_key or self.state.load("token", {}).get("public_key", "")
            self.apply_document(verify_document(kept["document"], kept["signature"], self._portal_key()))

    def apply_document(self, document: NodeDocument) -> None:
        """Makes the document true and remembers it."""
        started = time.monotonic()
        self.state.save("document", {"document": document.text, "signature": document.signature})
        if self.simulate:
            self.failed = {}
        else:
            self.failed = self._render_and_apply(document)
        self.document = document
        self.applied = {key: s.digest for key, s in document.sections.items() if key not in self.failed}
        self.apply_seconds = time.monotonic() - started
        for key, message in self.failed.items():
            log.error("%s/%s: %s: %s", self.location, self.index, key, message)

    def _render_and_apply(self, document: NodeDocument) -> dict[str, str]:
        mark_allocations = self.state.mark_allocations()
        rendered = render_node(document, mark_allocations, self.prefix)
        if rendered.mark_allocations != mark_allocations:
            # Before the kernel: marks that nobody remembers would mean something else after a restart.
            self.state.save_mark_allocations(dict(rendered.mark_allocations))
        if self.applied:
            self._totals.update(self.kernel.counters())
        return self.kernel.apply(document, rendered)

    # -- telling ---------------------------------------------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        counters = {} if self.simulate else self._totals.update(self.kernel.counters())
        self.state.save("counters", {"base": self._totals.base, "last": self._totals.last})
        return {
            "epoch": self.state.epoch,
            # Grows while the epoch lasts, over restarts of this process too.
            "sequence": time.monotonic_ns() // 1_000_000,
            "version": self.document.version,
            "applied": self.applied,
            "failed": self.failed,
            "health": self._health(),
            "counters": counters,
        }

    def _health(self) -> dict[str, Any]:
        circuits = {} if self.simulate else self.kernel.circuits(self.document)
        return {"simulated": self.simulate, "apply_seconds": round(self.apply_seconds, 3), "circuits": circuits}
