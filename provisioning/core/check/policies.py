"""Policies that cannot do what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioning.core.intent import ANY, INTERNET, Intent, Policy
from provisioning.core.network import Network
from provisioning.core.resource import Problem


class Places:
    """Where the members of each segment, and the guests that shares bring there, are called by which names."""

    def __init__(self, network: Network) -> None:
        self.intent = network.intent
        self.connectors: dict[str, dict[str, set[str]]] = {}
        """Name (a group, a connector, ``any``) → segment → uids of the connectors it has there."""
        self.exits: set[str] = set()
        """Segments with an internet exit."""
        for connector in network.intent.connectors.values():
            for attachment in connector.attachments if connector.enabled else ():
                if connector.kind == "internet-exit":
                    self.exits.add(attachment.segment)
                else:
                    self._join(attachment.segment, connector.uid, attachment.group)
        for uid, realm in network.realms.items():
            for guest in realm.guests if realm.shares else ():
                self._join(uid, guest.connector.uid, guest.attachment.group)

    def _join(self, segment: str, connector: str, group: str | None) -> None:
        for name in (ANY, connector, group):
            if name is not None:
                self.connectors.setdefault(name, {}).setdefault(segment, set()).add(connector)


def sides(network: Network) -> Iterator[Problem]:
    """Names that nobody has in the policy's segments, policies about one connector, and an internet without a way."""
    intent = network.intent
    guests = [realm.guests for realm in network.realms.values() if realm.shares]
    read = (intent.groups, intent.segments, intent.internet_apps)
    named = [item for items in read for item in items.values()]
    places = network.keep("places", (*intent.connectors.values(), None, *named, None, *guests), lambda: Places(network))
    for policy in intent.policies.values():
        yield from _kept(network, policy, places)


def _kept(network: Network, policy: Policy, places: Places) -> list[Problem]:
    return network.keep(("sides", policy.uid), (policy, places), lambda: list(_sides(policy, places)))


def _sides(policy: Policy, places: Places) -> Iterator[Problem]:
    for field, side in (("from", policy.from_), ("to", policy.to)):
        nobody = []
        for place, uid in enumerate(side):
            here = places.connectors.get(uid)
            if here is None or here.keys().isdisjoint(policy.segments):
                nobody.append((place, uid))
        if nobody:
            yield from _nobody(policy, places.intent, f"policies/{policy.key}/{field}", nobody)
    yield from _one_connector(policy, places)
    yield from _internet(policy, places)


NAMED = 3
"""Groups that one warning names."""


def _nobody(policy: Policy, intent: Intent, path: str, named: Sequence[tuple[int, str]]) -> Iterator[Problem]:
    """``named``: (place, uid) of what nobody in the policy's segments is called."""
    groups = [(place, f"“{intent.groups[uid].name}”") for place, uid in named if uid in intent.groups]
    if groups:
        names = ", ".join(name for _, name in groups[:NAMED])
        more = f" and {len(groups) - NAMED} more" if len(groups) > NAMED else ""
        have = "which have no member" if len(groups) > 1 else "which has no member"
        yield Problem(
            "empty_group",
            f"{path}[{groups[0][0]}]",
            f"Policy “{policy.name}” names group{'s' if len(groups) > 1 else ''} {names}{more}, {have} in its "
            "segments. Nothing matches until a connector joins.",
            "warning",
        )
    for place, uid in named:
        connector = intent.connectors.get(uid)
        if connector is not None and connector.kind == "internet-exit":
            yield Problem(
                "names_exit",
                f"{path}[{place}]",
                f"Policy “{policy.name}” names the internet exit “{connector.name}”, which has no addresses of its "
                "own. Name internet instead.",
                "warning",
            )
        elif connector is not None and connector.enabled:
            yield Problem(
                "not_attached",
                f"{path}[{place}]",
                f"Policy “{policy.name}” names connector “{connector.name}”, which is attached to none of its "
                "segments. Nothing matches until it is.",
                "warning",
            )


def _one_connector(policy: Policy, places: Places) -> Iterator[Problem]:
    if INTERNET in (*policy.from_, *policy.to):
        return
    start = _lone(policy, policy.from_, places)
    if start is not None and start == _lone(policy, policy.to, places):
        name = places.intent.connectors[start].name
        yield Problem(
            "not_enforceable",
            f"policies/{policy.key}",
            f"Policy “{policy.name}” is about traffic inside connector “{name}”, which never reaches an exchange. "
            "It cannot be enforced.",
            "warning",
        )


def _lone(policy: Policy, side: tuple[str, ...], places: Places) -> str | None:
    """The only connector that a side names in the policy's segments; None for none or several."""
    lone: str | None = None
    for name in side:
        if here := places.connectors.get(name):
            for uid in policy.segments:
                for connector in here.get(uid, ()):
                    if lone is not None and connector != lone:
                        return None
                    lone = connector
    return lone


def _internet(policy: Policy, places: Places) -> Iterator[Problem]:
    intent, path = places.intent, f"policies/{policy.key}"
    apps = [uid for uid in policy.to if uid in intent.internet_apps]
    if INTERNET in policy.from_ and not apps:
        yield Problem(
            "no_internet_application",
            f"{path}/from[{policy.from_.index(INTERNET)}]",
            f"Policy “{policy.name}” lets the internet in, but only internet applications can be reached from there "
            "and “to” names none. Nothing matches.",
            "warning",
        )
    for uid in apps if INTERNET not in policy.from_ else ():
        yield Problem(
            "not_from_internet",
            f"{path}/to[{policy.to.index(uid)}]",
            f"Policy “{policy.name}” names internet application “{intent.internet_apps[uid].name}”, which only the "
            "internet reaches. Name internet in “from”.",
            "warning",
        )
    for uid in policy.from_:
        if uid in intent.internet_apps:
            yield Problem(
                "names_application",
                f"{path}/from[{policy.from_.index(uid)}]",
                f"Policy “{policy.name}” names internet application “{intent.internet_apps[uid].name}” in “from”; an "
                "application begins no flows. Name its target.",
                "warning",
            )
    if INTERNET in policy.to:
        for uid in policy.segments:
            if uid in intent.segments and uid not in places.exits:
                yield Problem(
                    "no_exit",
                    f"{path}/to[{policy.to.index(INTERNET)}]",
                    f"Policy “{policy.name}” names the internet, but segment “{intent.segments[uid].name}” has no "
                    "internet exit.",
                    "warning",
                )
