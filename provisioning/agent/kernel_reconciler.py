"""Bring this machine's kernel to what was rendered, namespace by namespace, and read it back.

The order keeps packets out of harm: a namespace gets its rules before its first interface; one that exists already gets
its links and routes before rules send packets there. Only what differs from the last time is touched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from provisioning.agent import nft
from provisioning.agent.carrier_watcher import CarrierWatcher
from provisioning.agent.desired import NetworkNamespace, NftTable
from provisioning.agent.document import NodeDocument
from provisioning.agent.netlink import Netlink, NetlinkError
from provisioning.agent.nft_counters import CounterReader
from provisioning.agent.parsed_segment import connector_key
from provisioning.agent.render import RenderedNode

log = logging.getLogger("causeway.agent")


class KernelReconciler:
    """``prefix``: how this node's namespaces are named; all that begin so are the agent's to remove."""

    def __init__(self, netlink: Netlink, prefix: str, on_carrier_change: Callable[[], None]) -> None:
        """``on_carrier_change`` is called, in a thread of its own, when ``follow_carriers`` has something to do."""
        self.netlink, self.prefix = netlink, prefix
        self._carriers = CarrierWatcher(on_carrier_change)
        self.needs_retry = False
        """Something is missing that may yet appear: apply again soon."""
        self._applied: dict[str, NetworkNamespace] = {}
        self._readers: dict[str, CounterReader] = {}

    def apply(self, document: NodeDocument, rendered: RenderedNode) -> dict[str, str]:
        """Apply what was rendered; return section key → what went wrong. What is right is made, whatever else fails."""
        failed = dict(rendered.failed)
        self.needs_retry = False
        links = [link for desired in rendered.namespaces.values() for link in desired.links]
        self.netlink.desired = frozenset(link.name for link in links if link.kind == "circuit")
        self._remove_unwanted_namespaces(set(rendered.namespaces), set(rendered.failed))
        todo = {name: desired for name, desired in sorted(rendered.namespaces.items()) if self._is_changed(desired)}

        def each(step: Callable[[NetworkNamespace], None], names: set[str]) -> None:
            for name in [name for name in todo if name in names]:
                try:
                    step(todo[name])
                except (NetlinkError, OSError, nft.NftError) as error:
                    log.debug("%s", name, exc_info=True)
                    failed.update(dict.fromkeys(todo.pop(name).sections, f"{name}: {error}"))
                    self._applied.pop(name, None)
                    self.needs_retry = True

        made = {name for name in todo if self.netlink.ensure_namespace(name)}
        each(self._apply_rules, made)
        each(self.netlink.clear, set(todo) - made)
        self.netlink.circuits.prepare(document)
        owners = _section_keys_by_interface(document)
        touched: set[str] = set()

        def create(desired: NetworkNamespace) -> None:
            missing, got = self.netlink.create(desired)
            touched.update(got)
            for interface, message in missing.items():
                failed[owners.get(interface, desired.sections[0])] = message
                self.needs_retry = True

        each(create, set(todo))
        for name in touched - set(todo):
            if name in rendered.namespaces:
                todo[name] = rendered.namespaces[name]
        each(
            self.netlink.apply, {name for name in todo if name in touched or self._is_changed_beyond_rules(todo[name])}
        )
        each(self._apply_rules, {name for name in todo if name not in made and self._has_changed_rules(todo[name])})
        self._applied |= todo
        self._carriers.watch(self._namespaces_with_followers())
        self.follow_carriers()
        return failed

    def follow_carriers(self) -> None:
        """Set links that follow a circuit up or down with it."""
        for name in self._namespaces_with_followers():
            try:
                self.netlink.apply(self._applied[name])
            except (NetlinkError, OSError) as error:
                log.error("%s does not follow its circuit: %s; it is tried again", name, error)
                self.needs_retry = True

    def _namespaces_with_followers(self) -> list[str]:
        return [name for name, namespace in self._applied.items() if any(link.follows for link in namespace.links)]

    def _apply_rules(self, desired: NetworkNamespace) -> None:
        nft.apply_table(desired.name, desired.rules)

    def _last_applied(self, desired: NetworkNamespace) -> NetworkNamespace:
        return self._applied.get(desired.name, NetworkNamespace(desired.name, ()))

    def _is_changed(self, desired: NetworkNamespace) -> bool:
        """Also when a link has vanished by itself, as a tunnel's interface may."""
        if self._last_applied(desired) != desired:
            return True
        present = self.netlink.links(desired.name)
        return not all(link.name in present for link in desired.links)

    def _is_changed_beyond_rules(self, desired: NetworkNamespace) -> bool:
        return replace(self._last_applied(desired), rules=NftTable()) != replace(desired, rules=NftTable())

    def _has_changed_rules(self, desired: NetworkNamespace) -> bool:
        return desired.name not in self._applied or self._last_applied(desired).rules != desired.rules

    def _remove_unwanted_namespaces(self, desired: set[str], failed: set[str]) -> None:
        """Remove namespaces of sections that are gone; one whose section could not be rendered stays as it was."""
        for name in self.netlink.namespaces(self.prefix):
            if name in desired or set(self._applied.get(name, NetworkNamespace(name, ())).sections) & failed:
                continue
            if reader := self._readers.pop(name, None):
                reader.close()
            self._applied.pop(name, None)
            self._carriers.watch(self._namespaces_with_followers())
            try:
                self.netlink.remove_namespace(name)
            except (NetlinkError, OSError) as error:
                log.error("%s cannot be removed: %s; it is tried again", name, error)
                self.needs_retry = True

    # -- reading back ------------------------------------------------------------------------------------------------

    def counters(self) -> dict[str, int]:
        """Return the value of each of the kernel's counters now, by the key it is reported under."""
        now: dict[str, int] = {}
        for name, namespace in self._applied.items():
            if not namespace.rules.counters:
                continue
            if name not in self._readers:
                self._readers[name] = CounterReader(name)
            for counter, (count_bytes, packets) in self._readers[name].read().items():
                if (declared := namespace.rules.counters.get(counter)) is None:
                    continue
                key, tenant = declared.key, declared.tenant
                counted = {key: packets}
                if not declared.packets_only:
                    counted = {key._replace(quantity="bytes"): count_bytes, key._replace(quantity="packets"): packets}
                for counter_key, count in counted.items():
                    # Several namespaces may count the same.
                    reported = counter_key.reported_by(tenant)
                    now[reported] = now.get(reported, 0) + count
        return now

    def circuits(self, document: NodeDocument) -> dict[str, str]:
        """Return "tenant|connector|circuit|segment" → up or down, for the circuits of this node."""
        states: dict[str, str] = {}
        for name, namespace in self._applied.items():
            if any(link.kind == "circuit" for link in namespace.links):
                states |= {interface: link.get("operstate") for interface, link in self.netlink.links(name).items()}
        return {
            f"{section.tenant}|{connector_key(section)}|{link['circuit']}|{link['segment']}": (
                "up" if states.get(link["interface"]) == "UP" else "down"
            )
            for section in document.of_kind("exchange.connector")
            for link in section.body["links"]
            if link["node"] == section.node
        }


def _section_keys_by_interface(document: NodeDocument) -> Mapping[str, str]:
    """Return interface → key of the connector section it belongs to."""
    return {
        link["interface"]: section.key
        for section in document.of_kind("exchange.connector")
        for link in section.body["links"]
    }
