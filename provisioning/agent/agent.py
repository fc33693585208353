"""One exchange node's agent: gets the document, brings the kernel to it, reports what is there.

Three threads: one polls for documents, one works in the kernel (applies, counts), one sends reports. A document is
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

from provisioning.agent.backoff import Backoff
from provisioning.agent.counter_totals import CounterTotals
from provisioning.agent.document import (
    EMPTY_DOCUMENT,
    NodeDocument,
    UnknownDocumentVersion,
    UntrustedDocument,
    verify_document,
)
from provisioning.agent.kernel_reconciler import KernelReconciler
from provisioning.agent.netlink import Netlink
from provisioning.agent.portal_client import PortalClient
from provisioning.agent.render import render_node
from provisioning.agent.state import AgentState
from provisioning.core.node_document import VERSION

log = logging.getLogger("causeway.agent")

DEBOUNCE_SECONDS = 0.05
REPORT_SECONDS = 2.0
RETRY_SECONDS = 1.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
"""Between questions and reports that the portal did not answer, before chance is added."""


@dataclass
class Agent:
    """``prefix`` begins the names of this node's namespaces. ``simulate``: report everything as applied, touch nothing.

    applied: section key → digest; failed: section key → why; refused: why the portal's document is not carried out, ""
    where it is.
    """

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
    refused: str = ""
    apply_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.kernel = KernelReconciler(self.netlink, self.prefix, self._on_carrier_change)
        self._wake, self._report_ready, self._stop = threading.Event(), threading.Event(), threading.Event()
        self._document_ready, self._carrier_changed = threading.Event(), threading.Event()
        self._resumed = threading.Event()
        self._report: dict[str, Any] = {}
        self._warned: set[str] = set()
        self._received: NodeDocument = EMPTY_DOCUMENT
        self._totals = CounterTotals.from_json(self.state.load("counters", {}))

    # -- threads ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run until ``stop``, in the caller's thread: it is the one that works in the kernel, and may not be able to
        return from there (see netns.py)."""
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
                self._report = self.build_report()
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
        have, backoff = self.document.digest, Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        while not self._stop.is_set():
            try:
                self._ensure_enrolled()
                answer = self.portal.poll_document(have)
                backoff.reset()
                if answer is None:
                    continue
                document = verify_document(answer["document"], answer["signature"], self._portal_key())
                have, self._received, self.refused = document.digest, document, ""
                self._document_ready.set()
                self._wake.set()
            except UnknownDocumentVersion as error:
                # Not asked for again: a later one may be of a version that is known.
                have = error.digest
                self._refuse(error)
            except (httpx.HTTPError, UntrustedDocument, ValueError, KeyError) as error:
                self._discard_refused_token(error)
                self._warn_once(f"no document: {error}; forwarding goes on as before")
                self._stop.wait(backoff.pause(error))

    def _send_reports(self) -> None:
        backoff = Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        while not self._stop.is_set():
            self._report_ready.wait()
            self._report_ready.clear()
            if self._stop.is_set() or not self.portal.token:
                continue
            try:
                report = self._report
                self.portal.report(report)
                if "ended" in report:
                    self.state.forget_ended_epoch()
                backoff.reset()
                self._warned.clear()
            except httpx.HTTPError as error:
                self._warn_once(f"report not delivered: {error}")
                self._stop.wait(backoff.pause(error))

    def _warn_once(self, message: str) -> None:
        """Log a message once, until a report is delivered again."""
        if message not in self._warned:
            self._warned.add(message)
            log.warning("%s/%s: %s", self.location, self.index, message)

    def _refuse(self, error: UnknownDocumentVersion) -> None:
        self.refused = str(error)
        self._warn_once(self.refused)

    # -- trust -----------------------------------------------------------------------------------------------------

    def _ensure_enrolled(self) -> None:
        if self.portal.token:
            return
        saved = self.state.load("token", {})
        if not saved:
            token, key = self.portal.enroll(self.location, self.index, self.enrollment_key, self.state.epoch)
            saved = {"token": token, "public_key": key}
            self.state.save("token", saved)
        self.portal.token, self.public_key = saved["token"], saved["public_key"]

    def _discard_refused_token(self, error: Exception) -> None:
        refused = isinstance(error, httpx.HTTPStatusError) and error.response.status_code in (401, 403)
        if refused and self.enrollment_key:
            self.state.save("token", {})
            self.portal.token = ""

    def _portal_key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(self.public_key))

    # -- applying --------------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """Bring the kernel to the last document on disk, before the portal is asked.

        A document of a version that is not known (the agent was downgraded) is left alone, and so is the kernel.
        """
        saved = self.state.load("document", {})
        if not saved:
            return
        self.public_key = self.public_key or self.state.load("token", {}).get("public_key", "")
        try:
            document = verify_document(saved["document"], saved["signature"], self._portal_key())
        except UnknownDocumentVersion as error:
            self._refuse(error)
            return
        self.apply_document(document)

    def apply_document(self, document: NodeDocument) -> None:
        """Bring the kernel to the document and remember it on disk."""
        started = time.monotonic()
        self.state.save("document", {"document": document.text, "signature": document.signature})
        if self.simulate:
            self.failed = {}
        else:
            self.failed = self._render_and_apply(document)
        self.document = document
        self.applied = {key: section.digest for key, section in document.sections.items() if key not in self.failed}
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

    # -- reporting ---------------------------------------------------------------------------------------------------

    def build_report(self) -> dict[str, Any]:
        counters = {} if self.simulate else self._totals.update(self.kernel.counters())
        # Grows while the epoch lasts, over restarts of this process too.
        sequence = time.monotonic_ns() // 1_000_000
        self.state.save("counters", {**self._totals.as_json(), "sequence": sequence})
        return {
            "epoch": self.state.epoch,
            "sequence": sequence,
            "serial": self.document.serial,
            # Read by portals of before document versions, which call the serial so.
            "version": self.document.serial,
            "applied": self.applied,
            "failed": self.failed,
            "health": self._health(),
            "counters": counters,
            **({"ended": self.state.ended} if self.state.ended else {}),
        }

    def _health(self) -> dict[str, Any]:
        circuits = {} if self.simulate else self.kernel.circuits(self.document)
        return {
            "simulated": self.simulate,
            "apply_seconds": round(self.apply_seconds, 3),
            "circuits": circuits,
            "document_version": VERSION,
            "refused": self.refused,
        }
