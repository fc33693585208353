"""What a cloud declares, and what a driver promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from provisioning.core.compile import CloudCompiler
from provisioning.core.node_document import VERSION
from provisioning.core.values.resource import Action, Body, Change, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudField:
    """One text field about an account, in the account form and in the API.

    required: the form insists on it. The API does not, because another field may stand in for it (a role for keys).
    secret:   the form hides what is typed. No field of credentials is ever shown again, secret or not.
    pattern:  a regular expression for the whole value, which Python and browsers read alike; "" takes anything.
    rule:     what the pattern asks for, for people: "12 digits".
    """

    name: str
    label: str
    max_length: int
    required: bool = False
    secret: bool = False
    pattern: str = ""
    rule: str = ""
    example: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit of a cloud: at most ``limit`` of ``what`` for each ``per``. ``code`` is the problem's code."""

    code: str
    limit: int
    what: str
    per: str


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """``amount`` of the quota ``code`` is used up at ``scope``, the address it is counted for."""

    code: str
    scope: str
    amount: int = 1


@dataclass(frozen=True, slots=True)
class CloudAddress:
    """The parts of a cloud resource's address: ``{cloud}/{account}/{region}/{name}``."""

    account: str
    region: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """All that the rest of the house knows about one cloud.

    Importing a declaration loads no SDK: ``driver`` and ``discover`` are named (``module:attribute``) and imported by
    the worker that first needs them. ``compile`` and ``quota_uses`` are pure and import nothing but the core.

    name:     first part of the kinds and addresses of its resources, and ``CloudAccount.provider``; at most 10 letters.
    label:    its name for people.
    account_id, account_word: the field that names an account, and what an account is called ("subscription").
    regions:  those that the account form suggests; others are taken as well.
    network_word, networks_word: what it calls a network ("VPC", "VPCs").
    inventory_key: the member of a discovered inventory (and of the API's answer) that lists its networks. Each is an
              object with at least id, name, region, prefixes and subnets.
    connector_settings: kind of connector it serves → setting → member of a discovered network that fills it;
              ``account`` is the account's id.
    quotas, quota_uses: its limits, and how much of them one resource uses. Checked before a plan is shown.
    gateway_warnings: kind of resource → actions that a plan warns about, because traffic stops.
    remedies: error code of a failed call → what a person can do about it.
    denied_codes, busy_codes: parts of the codes with which it refuses a right, and says that it is overloaded.
    """

    name: str
    label: str
    account_id: CloudField
    account_word: str = "account"
    credentials: tuple[CloudField, ...]
    regions: tuple[str, ...]
    network_word: str
    networks_word: str
    inventory_key: str
    connector_settings: Mapping[str, Mapping[str, str]]
    quotas: tuple[Quota, ...] = ()
    quota_uses: Callable[[Resource], Iterable[QuotaUse]] = lambda resource: ()
    gateway_warnings: Mapping[str, frozenset[Action]] = field(default_factory=dict)
    remedies: Mapping[str, str] = field(default_factory=dict)
    denied_codes: tuple[str, ...] = ()
    busy_codes: tuple[str, ...] = ()
    compile: CloudCompiler
    discover: str
    driver: str

    def parse_address(self, address: str) -> CloudAddress | None:
        """Return the parts of a resource's address; None where it does not lie in an account and region."""
        name, *parts = address.split("/", 3)
        return CloudAddress(*parts) if name == self.name and len(parts) == 3 else None

    def account_setting(self, kind: str) -> str:
        """Return the setting of a connector of this kind that names its account."""
        return next(setting for setting, member in self.connector_settings[kind].items() if member == "account")

    def networks(self, account_id: str, inventory: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the networks of a discovered inventory, each with its ``account``."""
        return [{**network, "account": account_id} for network in inventory.get(self.inventory_key, ())]

    def settings_for(self, kind: str, network: Mapping[str, Any]) -> dict[str, str]:
        """Return the settings of a connector of this kind that attaches a discovered network."""
        return {setting: str(network[member]) for setting, member in self.connector_settings[kind].items()}


@dataclass(frozen=True, slots=True)
class CloudCredentials:
    """How to reach one cloud account; never logged. ``secret`` is what the vault holds, by field name."""

    account: str
    secret: Mapping[str, str] = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class PublishedSection:
    """A resource's section on one node, and what the node has reported of it.

    document_version: what the node's agent knows; None for a node that never reported, 0 for an agent of before
    versions.
    """

    node: str
    is_applied: bool
    failure: str
    published_at: datetime
    seen_at: datetime | None
    document_version: int | None

    @property
    def is_outdated(self) -> bool:
        """Whether the node's agent cannot read what is published to it."""
        return self.document_version is not None and self.document_version < VERSION


class SectionPublisher(Protocol):
    """Writes sections of node documents and reads what nodes report of them."""

    def publish(self, change: Change) -> list[PublishedSection]:
        """Write the resource's sections where they differ, wake the nodes, and return the sections as they are now."""

    def reset(self, address: str, nodes: Iterable[str]) -> None:
        """Let the next ``publish`` write these nodes' sections again, whether or not their bodies differ."""

    def delete_removed(self, address: str) -> None:
        """Drop the sections of nodes that have removed the resource."""

    def is_published(self, change: Change) -> bool:
        """Return whether what the change leads to is what was last published."""


@dataclass(frozen=True, slots=True)
class DriverContext:
    """What a driver may know besides the change itself.

    tenant:      slug; part of every tag.
    attributes:  address → attributes (cloud ids) that earlier steps recorded, for references.
    credentials: account id → CloudCredentials; raises DriverError(permanent) when the account is gone.
    sections:    the sections of node documents; only the exchange driver writes them.
    """

    tenant: str
    attributes: Mapping[str, Mapping[str, Any]]
    credentials: Callable[[str], CloudCredentials]
    sections: SectionPublisher


@dataclass(frozen=True, slots=True)
class Done:
    """The change is complete. ``attributes``: what later steps may refer to; ``body``: what is there (None: gone)."""

    attributes: Mapping[str, Any]
    body: Body | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Accepted but not finished: call apply again with the same change after ``retry_after`` seconds."""

    retry_after: float
    note: str


@dataclass(frozen=True, slots=True)
class ObservedResource:
    """What a driver found at an address; ``body`` None when nothing of ours is there."""

    address: str
    kind: str
    body: Body | None
    attributes: Mapping[str, Any]


class DriverError(Exception):
    """A call that failed, described so that a person can act.

    message:     what the other side said.
    call:        the operation, for example ``ec2.CreateTransitGateway``.
    code:        the other side's error code, by which pages find a remedy.
    permanent:   trying again without a change is useless.
    retry_after: seconds, where the other side named them.
    """

    def __init__(
        self, message: str, *, call: str = "", code: str = "", permanent: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.call, self.code = message, call, code
        self.permanent, self.retry_after = permanent, retry_after


class Driver(Protocol):
    """Carries out changes. Found by the first part of a resource's kind (``drivers.get_driver``).

    One instance serves every thread of a worker. A worker may die at any moment, and another one then calls ``apply``
    again with the same change; so the duties of a driver are:

    1. Be idempotent by address. Look for what carries the address before creating it, so that nothing is done twice.
    2. Adopt what a lost answer created. Mark a resource with its address in the create call itself, so that the next
       apply finds it. Never repeat a write whose answer was lost without looking first.
    3. Never sleep. Return Waiting while the other side works, with the seconds until a look is worthwhile.
    4. Fail in one way only: DriverError, ``permanent`` when only a person can help, else with ``retry_after`` where the
       other side named a time. An exception of any other type is a bug, and ends the step.
    5. Never overwrite or delete what is not ours. Raise a permanent error that names it.
    6. Remove completely: Done with ``body`` None means that the resource is gone and its name may be used again.
    7. Keep secrets out of attributes, notes and errors: pages show all three.
    8. State limits before the plan, in the cloud's declaration (``Cloud.quotas``), not by failing half-way.
    """

    replace_on: Mapping[str, frozenset[str]]
    """Kind → body fields whose change needs a replacement."""

    def apply(self, change: Change, context: DriverContext) -> Done | Waiting:
        """Take one step towards the change. References in ``change.after`` are resolved; raises DriverError."""

    def observe(self, desired: Iterable[Change], context: DriverContext) -> list[ObservedResource]:
        """Return what is at the addresses of these changes, in their order. Only reads; raises DriverError."""
