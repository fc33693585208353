"""Later versions of full random networks, by random edits of every kind."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from provisioning.core.check import check_network
from provisioning.core.intent import InvalidIntent
from tests.core.random_full_networks import (
    ADDRESSES,
    GROUPS,
    POLICY_ACTIONS,
    PREFIXES,
    SEGMENTS,
    TIERS,
    full_networks,
    one_of,
    rules,
    several_of,
)
from tests.core.random_groups import attachment_groups, group_fields, labels
from tests.core.sample_networks import IntentBuilder, site

Bodies = list[tuple[str, dict[str, Any]]]


def _bodies(net: IntentBuilder, kind: str) -> Bodies:
    return [(uid, body) for uid, (row_kind, _, _, _, body) in net.rows.items() if row_kind == kind]


class _RandomEditor:
    def __init__(self, draw: st.DrawFn, net: IntentBuilder) -> None:
        self.draw, self.net = draw, net

    def random_object(self, kind: str) -> tuple[str, dict[str, Any]] | None:
        bodies = _bodies(self.net, kind)
        return bodies[self.draw(one_of(range(len(bodies))))] if bodies else None

    def edit(self, kind: str, uid: str, **fields: Any) -> None:
        self.net.edit(kind, uid, **fields)

    def segments(self) -> None:
        uid, body = self.random_object("segments") or ("", {})
        self.edit("segments", uid, default_action={"allow": "deny", "deny": "allow"}[body["default_action"]])

    def groups(self) -> None:
        index = self.draw(one_of(range(len(GROUPS))))
        self.edit("groups", GROUPS[index], **self.draw(group_fields(GROUPS[:index])))

    def policies(self) -> None:
        chosen = self.random_object("policies")
        if chosen is None:
            return
        uid, body = chosen
        edits = ["rules", "one", "one", "order", "position", "tier", "from", "to", "segments", "enabled"]
        what = self.draw(one_of(edits))
        listed = list(body["rules"])
        choices: dict[str, dict[str, Any]] = {
            "rules": {"rules": self.draw(rules(POLICY_ACTIONS))},
            "one": {"rules": [*listed[:1], *self.draw(rules(POLICY_ACTIONS, 1)), *listed[2:]]},
            "order": {"rules": listed[::-1]},
            "tier": {"tier": self.draw(one_of(TIERS))},
            "position": {"position": self.draw(st.integers(0, 9)) * 40 + 39},
            "from": {"from": self.draw(several_of([*GROUPS, "any", "s0"], 1))},
            "to": {"to": self.draw(several_of([*GROUPS, "any", "internet"], 1))},
            "segments": {"segments": self.draw(several_of(SEGMENTS, 1, 3))},
            "enabled": {"enabled": not body["enabled"]},
        }
        self.edit("policies", uid, **choices[what])

    def connectors(self) -> None:
        chosen = self.random_object("connectors")
        if chosen is None:
            return
        uid, body = chosen
        edits = ["groups", "groups", "labels", "prefixes", "enabled", "preference", "exchange", "move", "add", "swap"]
        what = self.draw(one_of(edits))
        attached = [dict(attachment) for attachment in body["attachments"]]
        if what == "add" and self.net.resolve("connectors", "new") is None:
            prefixes = self.draw(several_of(PREFIXES, 1))
            more = site("new", "eu", self.draw(one_of([*GROUPS, None])), *prefixes, segment=self.draw(one_of(SEGMENTS)))
            self.net.add("connectors", {**more, "redundancy_group": "all"})
        elif what == "groups":
            attached[0] |= self.draw(attachment_groups(GROUPS))
            self.edit("connectors", uid, attachments=attached)
        elif what == "labels":
            self.edit("connectors", uid, labels=self.draw(labels()))
        elif what == "move":
            attached[0]["segment"] = self.draw(one_of(SEGMENTS))
            self.edit("connectors", uid, attachments=attached)
        elif what == "prefixes" and body["kind"] != "internet-exit":
            attached[0]["prefixes"] = self.draw(several_of(PREFIXES, 1))
            self.edit("connectors", uid, attachments=attached)
        elif what == "swap" and (other := self.random_object("connectors")):
            theirs = [dict(attachment) for attachment in other[1]["attachments"]]
            attached[0]["prefixes"], theirs[0]["prefixes"] = theirs[0]["prefixes"], attached[0]["prefixes"]
            self.edit("connectors", uid, attachments=attached)
            self.edit("connectors", other[0], attachments=theirs)
        elif what == "enabled":
            self.edit("connectors", uid, enabled=not body["enabled"])
        elif what == "preference":
            self.edit("connectors", uid, preference=300 - body["preference"])
        elif what == "exchange":
            self.edit("connectors", uid, exchange=self.draw(one_of(["eu", "us"])))

    def services(self) -> None:
        uid, body = self.random_object("services") or ("", {})
        what = self.draw(one_of(["on_failure", "placements", "settings", "name"]))
        settings = {"default": self.draw(one_of(["allow", "deny"])), "rules": self.draw(rules(["allow", "deny"], 2))}
        fields: dict[str, Any] = {
            "on_failure": {"closed": "open", "open": "closed"}[body["on_failure"]],
            "placements": [{"exchange": "us", "min_instances": self.draw(st.integers(0, 1))}],
            "settings": settings,
            "name": body["name"],
        }
        self.edit("services", uid, **{what: fields[what]}, description="edited")

    def shares(self) -> None:
        chosen = self.random_object("shares")
        if chosen is None:
            return
        uid, _ = chosen
        what = self.draw(one_of(["direction", "services", "a"]))
        body = self.net.rows[uid][4]
        fields: dict[str, Any] = {
            "direction": self.draw(one_of(["both", "a-to-b", "b-to-a"])),
            "services": self.draw(several_of(["fw", "ids"], 0, 1)),
            "a": {**body["a"], "groups": self.draw(several_of(GROUPS, 1))},
        }
        self.edit("shares", uid, **{what: fields[what]})

    def nat_rules(self) -> None:
        if chosen := self.random_object("nat-rules"):
            self.edit("nat-rules", chosen[0], enabled=not chosen[1]["enabled"])

    def route_policies(self) -> None:
        if chosen := self.random_object("route-policies"):
            self.edit("route-policies", chosen[0], enabled=not chosen[1]["enabled"])

    def prefix_lists(self) -> None:
        name = self.draw(one_of(["near", "empty", "mixed"]))
        known = [*PREFIXES, *ADDRESSES] if name == "mixed" else PREFIXES
        self.edit("prefix-lists", name, entries=[{"prefix": prefix} for prefix in self.draw(several_of(known))])

    def internet_apps(self) -> None:
        if chosen := self.random_object("internet-apps"):
            self.edit("internet-apps", chosen[0], port=self.draw(one_of([22, 443, 8443])))

    def removed(self) -> None:
        kind = self.draw(one_of(["policies", "connectors", "shares", "nat-rules", "route-policies", "internet-apps"]))
        if chosen := self.random_object(kind):
            del self.net.rows[chosen[0]]


@st.composite
def edited_full_networks(draw: st.DrawFn) -> tuple[IntentBuilder, IntentBuilder]:
    """Draw a full network and a later version of it; ``check`` finds no error in either."""
    before = draw(full_networks())
    after = before
    for _ in range(draw(st.integers(1, 3))):
        after = _edited(draw, after)
    return before, after if after is not before else before.copy()


@st.composite
def network_versions(draw: st.DrawFn) -> list[IntentBuilder]:
    """Draw a full network and up to four later versions, each an edit of the one before."""
    versions = [draw(full_networks())]
    for _ in range(draw(st.integers(1, 4))):
        versions.append(_edited(draw, versions[-1]))
    return versions


def _edited(draw: st.DrawFn, before: IntentBuilder) -> IntentBuilder:
    """Return a version with one random edit; ``before`` itself if the edit would be refused."""
    after = before.copy()
    editor = _RandomEditor(draw, after)
    edits = (
        *(editor.policies, editor.policies, editor.policies, editor.connectors, editor.connectors, editor.segments),
        *(editor.services, editor.shares, editor.nat_rules, editor.route_policies, editor.prefix_lists),
        *(editor.internet_apps, editor.removed),
    )
    try:
        edits[draw(one_of(range(len(edits))))]()
    except InvalidIntent:
        return before
    errors = [problem for problem in check_network(after.network(), slow_checks=False) if problem.severity == "error"]
    return before if errors else after
