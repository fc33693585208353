"""Brings this machine's kernel to what was rendered, namespace by namespace, and reads it back.

The order keeps packets out of harm: a namespace gets its rules before its first interface; one that exists already gets
its links and routes before rules send packets there. Only what differs from the last time is touched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from provisioning.agent import nft
from provisioning.agent.carriers import Carriers
from provisioning.agent.counters import Reader
from provisioning.agent.document import Document
from provisioning.agent.netlink import Netlink, NetlinkError
from provisioning.agent.render import Rendered
from provisioning.agent.view import connector_key
from provisioning.agent.wanted import Namespace, Rules

log = logging.getLogger("causeway.agent")


class Kernel:
    """``prefix``: how this node's namespaces are named; all that begin so are the agent's to remove."""

    def __init__(self, netlink: Netlink, prefix: str, moved: Callable[[], None]) -> None:
        """``moved`` is called, in a thread of its own, when ``follow`` has something to do."""
        self.netlink, self.prefix = netlink, prefix
        self._carriers = Carriers(moved)
        self.unfinished = False
        """Something is missing that may yet appear: apply again soon."""
        self._present: dict[str, Namespace] = {}
        self._readers: dict[str, Reader] = {}

    def apply(self, document: Document, rendered: Rendered) -> dict[str, str]:
        """Section key → what went wrong. What is right is made, whatever else fails."""
        failed = dict(rendered.failed)
        self.unfinished = False
        links = [link for wanted in rendered.namespaces.values() for link in wanted.links]
        self.netlink.wanted = frozenset(link.name for link in links if link.kind == "circuit")
        self._remove(set(rendered.namespaces), set(rendered.failed))
        todo = {name: wanted for name, wanted in sorted(rendered.namespaces.items()) if self._is_changed(wanted)}

        def each(step: Callable[[Namespace], None], names: set[str]) -> None:
            for name in [name for name in todo if name in names]:
                try:
                    step(todo[name])
                except (NetlinkError, OSError, nft.Refused) as error:
                    log.debug("%s", name, exc_info=True)
                    failed.update(dict.fromkeys(todo.pop(name).sections, f"{name}: {error}"))
                    self._present.pop(name, None)
                    self.unfinished = True

        made = {name for name in todo if self.netlink.ensure_namespace(name)}
        each(self._rules, made)
        each(self.netlink.clear, set(todo) - made)
        self.netlink.circuits.prepare(document)
        owners = _owners(document)
        touched: set[str] = set()

        def create(wanted: Namespace) -> None:
            missing, got = self.netlink.create(wanted)
            touched.update(got)
            for interface, message in missing.items():
                failed[owners.get(interface, wanted.sections[0])] = message
                self.unfinished = True

        each(create, set(todo))
        for name in touched - set(todo):
            if name in rendered.namespaces:
                todo[name] = rendered.namespaces[name]
        each(self.netlink.apply, {name for name in todo if name in touched or self._is_moved(todo[name])})
        each(self._rules, {name for name in todo if name not in made and self._rules_differ(todo[name])})
        self._present |= todo
        self._carriers.watch(self._following())
        self.follow()
        return failed

    def follow(self) -> None:
        """Links that follow a circuit go up and down with it."""
        for name in self._following():
            try:
                self.netlink.apply(self._present[name])
            except (NetlinkError, OSError) as error:
                log.error("%s does not follow its circuit: %s; it is tried again", name, error)
                self.unfinished = True

    def _following(self) -> list[str]:
        return [name for name, one in self._present.items() if any(link.follows for link in one.links)]

    def _rules(self, wanted: Namespace) -> None:
        nft.apply(wanted.name, wanted.rules)

    def _before(self, wanted: Namespace) -> Namespace:
        return self._present.get(wanted.name, Namespace(wanted.name, ()))

    def _is_changed(self, wanted: Namespace) -> bool:
        """Also when a link has vanished by itself, as a tunnel's interface may."""
        if self._before(wanted) != wanted:
            return True
        present = self.netlink.links(wanted.name)
        return not all(link.name in present for link in wanted.links)

    def _is_moved(self, wanted: Namespace) -> bool:
        return replace(self._before(wanted), rules=Rules()) != replace(wanted, rules=Rules())

    def _rules_differ(self, wanted: Namespace) -> bool:
        return wanted.name not in self._present or self._before(wanted).rules != wanted.rules

    def _remove(self, wanted: set[str], failed: set[str]) -> None:
        """Namespaces of sections that are gone; one whose section could not be understood stays as it was."""
        for name in self.netlink.namespaces(self.prefix):
            if name in wanted or set(self._present.get(name, Namespace(name, ())).sections) & failed:
                continue
            if reader := self._readers.pop(name, None):
                reader.close()
            self._present.pop(name, None)
            self._carriers.watch(self._following())
            try:
                self.netlink.remove_namespace(name)
            except (NetlinkError, OSError) as error:
                log.error("%s is not wanted any more but does not go: %s; it is tried again", name, error)
                self.unfinished = True

    # -- reading back ------------------------------------------------------------------------------------------------

    def counters(self) -> dict[str, int]:
        """Reported key → what the kernel's counters say now."""
        now: dict[str, int] = {}
        for name, namespace in self._present.items():
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
        return now

    def circuits(self, document: Document) -> dict[str, str]:
        """ "tenant|connector|circuit|segment" → up or down, for the circuits of this node."""
        states: dict[str, str] = {}
        for name, namespace in self._present.items():
            if any(link.kind == "circuit" for link in namespace.links):
                states |= {n: link.get("operstate") for n, link in self.netlink.links(name).items()}
        return {
            f"{section.tenant}|{connector_key(section)}|{link['circuit']}|{link['segment']}": (
                "up" if states.get(link["interface"]) == "UP" else "down"
            )
            for section in document.of_kind("exchange.connector")
            for link in section.body["links"]
            if link["node"] == section.node
        }


def _owners(document: Document) -> Mapping[str, str]:
    """Interface → key of the connector section it belongs to."""
    return {
        link["interface"]: section.key
        for section in document.of_kind("exchange.connector")
        for link in section.body["links"]
    }
