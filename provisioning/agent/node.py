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

from provisioning.agent.document import EMPTY, Document, Untrusted, verify
from provisioning.agent.kernel import Kernel
from provisioning.agent.netlink import Netlink
from provisioning.agent.portal import Portal
from provisioning.agent.render import render
from provisioning.agent.state import State
from provisioning.agent.totals import Totals

log = logging.getLogger("causeway.agent")

DEBOUNCE = 0.05
REPORT_EVERY = 2.0
RETRY_EVERY = 1.0


@dataclass
class Agent:
    """``prefix`` begins the names of this node's namespaces. ``simulate``: believe everything, touch nothing."""

    location: str
    index: int
    portal: Portal
    state: State
    netlink: Netlink
    prefix: str = "cw."
    public_key: str = ""
    enrollment_key: str = ""
    simulate: bool = False
    document: Document = EMPTY
    applied: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    took: float = 0.0

    def __post_init__(self) -> None:
        self.kernel = Kernel(self.netlink, self.prefix, self._circuit_moved)
        self._wake, self._tell, self._stop = threading.Event(), threading.Event(), threading.Event()
        self._fresh, self._moved = threading.Event(), threading.Event()
        self._resumed = threading.Event()
        self._body: dict[str, Any] = {}
        self._complaints: set[str] = set()
        self._incoming: Document = EMPTY
        self._totals = Totals(**self.state.load("counters", {}))

    # -- threads ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until ``stop``; the caller's thread is the one that works in the kernel, and may not come back from there."""
        for target in (self._ask, self._deliver):
            threading.Thread(target=target, daemon=True).start()
        self.resume()
        self._resumed.set()
        due = 0.0
        while not self._stop.is_set():
            if self._wake.wait(max(0.0, min(due - time.monotonic(), RETRY_EVERY))):
                self._wake.clear()
                if self._moved.is_set():
                    self._moved.clear()
                    self.kernel.follow()
                if self._fresh.is_set():
                    time.sleep(DEBOUNCE)
                    self._fresh.clear()
                    self.accept(self._incoming)
                    due = 0.0
            elif self.kernel.unfinished:
                self.accept(self.document)
            if time.monotonic() >= due:
                due = time.monotonic() + REPORT_EVERY
                self._body = self.report()
                self._tell.set()

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()
        self._tell.set()

    def _circuit_moved(self) -> None:
        self._moved.set()
        self._wake.set()

    def _ask(self) -> None:
        self._resumed.wait()
        have, quiet = self.document.digest, 0.2
        while not self._stop.is_set():
            try:
                self._enrolled()
                answer = self.portal.newer(have)
                quiet = 0.2
                if answer is None:
                    continue
                document = verify(answer["document"], answer["signature"], self._key())
                have, self._incoming = document.digest, document
                self._fresh.set()
                self._wake.set()
            except (httpx.HTTPError, Untrusted, ValueError, KeyError) as error:
                self._forget_refused_token(error)
                self._complain(f"no document: {error}; forwarding goes on as before")
                self._stop.wait(quiet)
                quiet = min(quiet * 2, 5)

    def _deliver(self) -> None:
        while not self._stop.is_set():
            self._tell.wait()
            self._tell.clear()
            if self._stop.is_set() or not self.portal.token:
                continue
            try:
                self.portal.report(self._body)
                self._complaints.clear()
            except httpx.HTTPError as error:
                self._complain(f"report not delivered: {error}")

    def _complain(self, message: str) -> None:
        """Once, until the portal answers again."""
        if message not in self._complaints:
            self._complaints.add(message)
            log.warning("%s/%s: %s", self.location, self.index, message)

    # -- trust -----------------------------------------------------------------------------------------------------

    def _enrolled(self) -> None:
        if self.portal.token:
            return
        kept = self.state.load("token", {})
        if not kept:
            token, key = self.portal.enroll(self.location, self.index, self.enrollment_key, self.state.epoch)
            kept = {"token": token, "public_key": key}
            self.state.save("token", kept)
        self.portal.token, self.public_key = kept["token"], kept["public_key"]

    def _forget_refused_token(self, error: Exception) -> None:
        refused = isinstance(error, httpx.HTTPStatusError) and error.response.status_code in (401, 403)
        if refused and self.enrollment_key:
            self.state.save("token", {})
            self.portal.token = ""

    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(self.public_key))

    # -- applying --------------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """Converges from the last document, before anybody is asked."""
        kept = self.state.load("document", {})
        if kept:
            self.public_key = self.public_key or self.state.load("token", {}).get("public_key", "")
            self.accept(verify(kept["document"], kept["signature"], self._key()))

    def accept(self, document: Document) -> None:
        """Makes the document true and remembers it."""
        started = time.monotonic()
        self.state.save("document", {"document": document.text, "signature": document.signature})
        if self.simulate:
            self.failed = {}
        else:
            self.failed = self._apply(document)
        self.document = document
        self.applied = {key: s.digest for key, s in document.sections.items() if key not in self.failed}
        self.took = time.monotonic() - started
        for key, message in self.failed.items():
            log.error("%s/%s: %s: %s", self.location, self.index, key, message)

    def _apply(self, document: Document) -> dict[str, str]:
        memories = self.state.memories()
        rendered = render(document, memories, self.prefix)
        if rendered.memories != memories:
            # Before the kernel: marks that nobody remembers would mean something else after a restart.
            self.state.remember(dict(rendered.memories))
        if self.applied:
            self._totals.see(self.kernel.counters())
        return self.kernel.apply(document, rendered)

    # -- telling ---------------------------------------------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        counters = {} if self.simulate else self._totals.see(self.kernel.counters())
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
        return {"simulated": self.simulate, "apply_seconds": round(self.took, 3), "circuits": circuits}
