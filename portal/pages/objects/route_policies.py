"""Route policies: which routes a connector is told, and which of its own are taken."""

from __future__ import annotations

from portal.pages.objects.fields import (
    DESCRIPTION,
    NAME,
    Choice,
    Flag,
    Number,
    Part,
    Pick,
    Rows,
    Text,
    Texts,
    addresses,
)
from portal.pages.objects.kind import Body, Column, Kind

DIRECTIONS = (
    ("in", "In: what is accepted from the targets"),
    ("out", "Out: what the targets are told"),
)


def summary(body: Body) -> str:
    counts = [(action, sum(rule["action"] == action for rule in body["rules"])) for action in ("allow", "deny")]
    return ", ".join(f"{count} {action}" for action, count in counts if count) or "no rule"


KIND = Kind(
    key="route-policies",
    word="route policy",
    plural="Route policies",
    icon="route",
    teaches="Which of a site's routes are accepted, and which of the network's it is told. A site without a route has "
    "no way there, whatever the policies allow. What no rule matches is allowed.",
    columns=(
        Column("Segment", lambda body: body["segment"], cell="segment"),
        Column("Direction", lambda body: body["direction"]),
        Column("Targets", lambda body: body["targets"]),
        Column("Rules", summary),
        Column("State", lambda body: "" if body["enabled"] else "disabled", cell="state", wide=True),
    ),
    form=lambda body: (
        NAME,
        Pick("segment", "Segment", kinds=("segments",)),
        Choice("direction", "Direction", options=DIRECTIONS),
        Pick("targets", "Targets", kinds=("groups", "connectors"), many=True),
        Rows(
            "rules",
            "Rules",
            word="rule",
            ordered=True,
            fields=(
                Choice("action", "Action", options=(("allow", "allow"), ("deny", "deny"))),
                addresses("match.prefixes", "Routes"),
                Part(
                    "match",
                    "Match more",
                    folded=True,
                    fields=(
                        Text("as_path", "AS path", mono=True, optional=True, example="^65010_", half=True),
                        Texts("communities", "Communities", example="65000:100", half=True),
                    ),
                ),
                Part(
                    "set",
                    "Set on the route",
                    folded=True,
                    when=("action", ("allow",)),
                    fields=(
                        Number("prepend", "Prepend", least=0, most=10, half=True),
                        Number("med", "MED", least=0, half=True),
                        Number("local_preference", "Local preference", least=0, half=True),
                        Texts("communities", "Communities", example="65000:200", half=True),
                    ),
                ),
            ),
        ),
        Flag("enabled", "Enabled", default=True),
        DESCRIPTION,
    ),
    blank={"direction": "out", "rules": [{"action": "deny"}], "enabled": True},
)
