"""The key of a node's counter: what it counts, as a value and as the text that is reported and stored.

Standard library only: the agent writes these keys, telemetry and billing read them.
"""

from __future__ import annotations

from typing import NamedTuple

COUNTER_FORMS: dict[str, tuple[str, ...]] = {
    "connector": ("segment", "direction", "quantity"),
    "mesh": ("segment", "direction", "quantity"),
    "service": ("segment", "quantity"),
    "instance": ("verdict", "quantity"),
    "spoof": ("segment",),
    "over-rate": ("segment",),
    "no-route": (),
    "rule": ("quantity",),
    "default-action": ("verdict",),
}
"""First word of the subject → the parts that may follow the subject, in order.

``connector/{connector}|{segment}|in|bytes`` and ``|out|packets``: from and to a connector.
``mesh/{exchange}|{segment}|out|bytes``: to another exchange.
``service/{service}|{segment}|bytes``: to the instances of a service.
``instance/{service}/{exchange}/{number}|passed|bytes`` and ``|refused``: by an instance's own rules.
``spoof/{connector}|{segment}``, ``over-rate/{connector}|{segment}``, ``no-route/{segment}``: packets that are dropped,
since their source is not the connector's, they exceed the rate of its size, or nothing leads to their destination.
``rule/{segment}/{rule}|hits``: new flows that a rule matched. ``default-action/{segment}|denied``: the default action.
"""


CounterForm = tuple[str, str, str]
"""(kind of subject, direction, quantity), each of the last two "" for keys without one."""


class CounterKey(NamedTuple):
    """``str`` gives the text; ``parse`` reads it. A key without a quantity counts packets."""

    subject: str
    segment: str = ""
    direction: str = ""
    verdict: str = ""
    quantity: str = ""

    @property
    def subject_kind(self) -> str:
        """The first word of the subject, which names its form: ``connector``."""
        return self.subject.partition("/")[0]

    @property
    def subject_name(self) -> str:
        """The subject without its first word: ``hospital-a``."""
        return self.subject.partition("/")[2]

    @property
    def form(self) -> CounterForm:
        return self.subject_kind, self.direction, self.quantity

    def __str__(self) -> str:
        return "|".join(filter(None, self))

    @classmethod
    def parse(cls, text: str) -> CounterKey | None:
        """Return the key that ``str`` wrote, or None for a text of no known form (an agent may be newer than we)."""
        subject, *parts = text.split("|")
        names = COUNTER_FORMS.get(subject.partition("/")[0])
        if names is None or len(parts) > len(names):
            return None
        return cls(subject, **dict(zip(names, parts, strict=False)))

    def reported_by(self, tenant: str) -> str:
        """Return the text under which a node, which serves many tenants, reports the counter."""
        return f"{tenant}|{self}"


def split_tenant(reported: str) -> tuple[str, str]:
    """Return the tenant's slug and the text of the key from what ``reported_by`` wrote."""
    tenant, _, text = reported.partition("|")
    return tenant, text
