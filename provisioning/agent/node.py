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
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from provisioning.agent import nft
from provisioning.agent.counters import Reader
from provisioning.agent.document import EMPTY, Document, Untrusted, verify
from provisioning.agent.netlink import Netlink, NetlinkError
from provisioning.agent.portal import Portal
from provisioning.agent.render import render
from provisioning.agent.state import State
from provisioning.agent.totals import Totals
from provisioning.agent.view import connector_key
from provisioning.agent.wanted import Namespace, Rules

log = logging.getLogger("causeway.agent")

DEBOUNCE = 0.05
REPORT_EVERY = 2.0
RETRY_EVERY = 1.0


@dataclass
class Agent:
    """``prefix``: how this node's namespaces are named; everything that begins so is the agent's to remove."""

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
        self._namespaces: dict[str, Namespace] = {}
        self._readers: dict[str, Reader] = {}
        self._fresh, self._tell, self._stop = threading.Event(), threading.Event(), threading.Event()
        self._resumed = threading.Event()
        self._body: dict[str, Any] = {}
        self._incoming: Document = EMPTY
        self._totals = Totals(**self.state.load("counters", {}))
        self._missing = False

    # -- threads ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until ``stop``; the caller's thread is the one that works in the kernel, and may not come back from there."""
        for target in (self._ask, self._deliver):
            threading.Thread(target=target, daemon=True).start()
        self.resume()
        self._resumed.set()
        due = 0.0
        while not self._stop.is_set():
            if self._fresh.wait(max(0.0, min(due - time.monotonic(), RETRY_EVERY))):
                time.sleep(DEBOUNCE)
                self._fresh.clear()
                if self._stop.is_set():
                    return
                self.accept(self._incoming)
                due = 0.0
            elif self._missing:
                self.accept(self.document)
            if time.monotonic() >= due:
                due = time.monotonic() + REPORT_EVERY
                self._body = self.report()
                self._tell.set()

    def stop(self) -> None:
        self._stop.set()
        self._fresh.set()
        self._tell.set()

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
            except (httpx.HTTPError, Untrusted, ValueError, KeyError) as error:
                self._forget_refused_token(error)
                log.warning("%s/%s: no document: %s; forwarding goes on as before", self.location, self.index, error)
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
            except httpx.HTTPError as error:
                log.warning("%s/%s: report not delivered: %s", self.location, self.index, error)

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
            self.failed, self._missing = {}, False
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
            self.state.remember(dict(rendered.memories))
        failed = dict(rendered.failed)
        self.netlink.circuits.prepare(document)
        made = {name for name in rendered.namespaces if self.netlink.ensure_namespace(name)}
        interfaces = _interfaces(document)
        self._missing = False
        # Instances and exits first: they make both ends of their arms, and a segment then puts its end to use.
        makers = {n for n, namespace in rendered.namespaces.items() if any(link.peer for link in namespace.links)}
        for name in sorted(rendered.namespaces, key=lambda n: n not in makers):
            wanted = rendered.namespaces[name]
            try:
                if name in made:
                    nft.apply(name, wanted.rules)
                missing = self._links(wanted)
                if name not in made and self._namespaces.get(name, Namespace(name, ())).rules != wanted.rules:
                    nft.apply(name, wanted.rules)
                self._namespaces[name] = wanted
            except (NetlinkError, OSError, nft.Refused) as error:
                failed |= dict.fromkeys(wanted.sections, f"{name}: {error}")
                self._namespaces.pop(name, None)
                self._missing = True
                continue
            for interface, message in missing.items():
                self._missing = True
                failed[interfaces.get(interface, wanted.sections[0])] = message
        self._remove(set(rendered.namespaces), set(rendered.failed))
        return failed

    def _links(self, wanted: Namespace) -> dict[str, str]:
        before = self._namespaces.get(wanted.name)
        if before and not self._missing and replace(before, rules=Rules()) == replace(wanted, rules=Rules()):
            present = self.netlink.links(wanted.name)
            if all(link.name in present for link in wanted.links):
                return {}
        return self.netlink.apply(wanted)

    def _remove(self, wanted: set[str], failed: set[str]) -> None:
        """Namespaces of sections that are gone; one whose section could not be understood stays as it was."""
        for name in self.netlink.namespaces(self.prefix):
            if name in wanted or set(self._namespaces.get(name, Namespace(name, ())).sections) & failed:
                continue
            if reader := self._readers.pop(name, None):
                self._count()
                reader.close()
            self._namespaces.pop(name, None)
            try:
                self.netlink.remove_namespace(name)
            except (NetlinkError, OSError) as error:
                log.error("%s is not wanted any more but does not go: %s; it is tried again", name, error)
                self._missing = True

    # -- telling ---------------------------------------------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        counters = {} if self.simulate else self._count()
        self.state.save("counters", {"base": self._totals.base, "last": self._totals.last})
        return {
            "epoch": self.state.epoch,
            "version": self.document.version,
            "applied": self.applied,
            "failed": self.failed,
            "health": self._health(),
            "counters": counters,
        }

    def _count(self) -> dict[str, int]:
        now: dict[str, int] = {}
        for name, namespace in self._namespaces.items():
            if not namespace.rules.counters:
                continue
            if name not in self._readers:
                self._readers[name] = Reader(name)
            for counter, (count_bytes, packets) in self._readers[name].read().items():
                key, what = namespace.rules.counters.get(counter, ("", ""))
                if what == "packets":
                    now[key] = now.get(key, 0) + packets
                elif what:
                    now[f"{key}|bytes"], now[f"{key}|packets"] = count_bytes, packets
        return self._totals.see(now)

    def _health(self) -> dict[str, Any]:
        circuits: dict[str, str] = {}
        if not self.simulate:
            states: dict[str, str] = {}
            for name, namespace in self._namespaces.items():
                if any(link.kind == "circuit" for link in namespace.links):
                    states |= {n: link.get("operstate") for n, link in self.netlink.links(name).items()}
            for section in self.document.of_kind("exchange.connector"):
                for link in section.body["links"]:
                    if link["node"] == section.node:
                        up = states.get(link["interface"]) == "UP"
                        key = f"{section.tenant}|{connector_key(section)}|{link['circuit']}|{link['segment']}"
                        circuits[key] = "up" if up else "down"
        return {"simulated": self.simulate, "apply_seconds": round(self.took, 3), "circuits": circuits}


def _interfaces(document: Document) -> Mapping[str, str]:
    """Interface → key of the connector section it belongs to."""
    return {
        link["interface"]: section.key
        for section in document.of_kind("exchange.connector")
        for link in section.body["links"]
    }
