"""What a cloud declares about itself, for everything outside its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioning.core.compile import CloudCompiler
from provisioning.core.values.resource import Action, Change, Problem, Resource

NetworkKey = tuple[str, ...]
"""Kind of a connector, and the settings by which it names its network."""
ConflictFinder = Callable[[Change, Mapping[str, Any], Mapping[str, Mapping[str, Any]]], Iterable[Problem]]


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
    """A limit of a cloud: at most ``limit`` of ``resources`` for each ``per``. ``code`` is the problem's code."""

    code: str
    limit: int
    resources: str
    per: str


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """``amount`` of the quota ``code`` is used up at ``counted_in``, the address it is counted for."""

    code: str
    counted_in: str
    amount: int = 1


@dataclass(frozen=True, slots=True)
class CloudAddress:
    """The parts of a cloud resource's address: ``{cloud}/{account}/{region}/{name}``."""

    account: str
    region: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """All that code outside its folder knows about one cloud.

    Importing a declaration loads no SDK: ``driver`` and ``discover`` are named (``module:attribute``) and imported by
    the worker that first needs them. ``compile`` and ``quota_uses`` are pure and import nothing but the core.

    name:     first part of the kinds and addresses of its resources, and ``CloudAccount.provider``; at most 10 letters.
    label:    its name for people.
    account_id, account_word: the field that names an account, and what an account is called ("subscription").
    regions:  those that the account form suggests, each with its latitude and longitude in degrees; the nearest
              exchange is proposed. Others are taken as well.
    network_word, networks_word: what it calls a network ("VPC", "VPCs").
    inventory_key: the member of a discovered inventory (and of the API's answer) that lists its networks. Each is an
              object with at least id, name, region, prefixes and subnets.
    connector_settings: kind of connector it serves → setting → member of a discovered network that fills it;
              ``account`` is the account's id.
    quotas, quota_uses: its limits, and how much of them one resource uses. Checked before a plan is shown.
    conflicts: what in a discovered inventory stands in the way of a change, given address → attributes of what is there
              at the change's address and those its body refers to. Asked before a plan is shown.
    gateway_warnings: kind of resource → actions that a plan warns about, because traffic stops.
    remedies: error code of a failed call → what a person can do about it.
    denied_codes, busy_codes: parts of the codes with which it refuses a right, and says that it is overloaded.
    """

    name: str
    label: str
    account_id: CloudField
    account_word: str = "account"
    credentials: tuple[CloudField, ...]
    regions: Mapping[str, tuple[float, float]]
    network_word: str
    networks_word: str
    inventory_key: str
    connector_settings: Mapping[str, Mapping[str, str]]
    quotas: tuple[Quota, ...] = ()
    quota_uses: Callable[[Resource], Iterable[QuotaUse]] = lambda resource: ()
    conflicts: ConflictFinder = lambda change, inventory, attributes: ()
    gateway_warnings: Mapping[str, frozenset[Action]] = field(default_factory=dict)
    remedies: Mapping[str, str] = field(default_factory=dict)
    denied_codes: tuple[str, ...] = ()
    busy_codes: tuple[str, ...] = ()
    compile: CloudCompiler
    discover: str
    driver: str

    @property
    def region_names(self) -> tuple[str, ...]:
        return tuple(self.regions)

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

    def network_key(self, kind: str, settings: Mapping[str, Any]) -> NetworkKey:
        """Return what tells one network from another: the settings that discovery fills in."""
        return (kind, *(str(settings[name]) for name in self.connector_settings[kind]))

    def settings_for(self, kind: str, network: Mapping[str, Any]) -> dict[str, str]:
        """Return the settings of a connector of this kind that attaches a discovered network."""
        return {setting: str(network[member]) for setting, member in self.connector_settings[kind].items()}
