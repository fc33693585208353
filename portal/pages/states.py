"""How a state is shown: tone, icon and word, in one table, so that no colour ever stands without its word."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Face:
    tone: str  # ok, warn, bad, info, idle, or an action's own: allow, deny, inspect, watch
    icon: str
    word: str


_OK = Face("ok", icon="circle-check", word="Healthy")
_WARN = Face("warn", icon="alert-triangle", word="Degraded")
_BAD = Face("bad", icon="circle-x", word="Down")
_INFO = Face("info", icon="clock", word="Waiting")
_IDLE = Face("idle", icon="circle-dashed", word="Unknown")
_BUSY = Face("info", icon="loader-2", word="Running")


def _like(face: Face, word: str) -> Face:
    return Face(face.tone, face.icon, word)


FACES: dict[str, Face] = {
    # Things on the topology.
    "up": _like(_OK, "Up"),
    "healthy": _OK,
    "live": Face("ok", icon="access-point", word="Live"),
    "degraded": _WARN,
    "down": _BAD,
    "stale": _like(_WARN, "Stale"),
    "unknown": _IDLE,
    "active": _like(_OK, "Active"),
    "standby": _like(_IDLE, "Standby"),
    "disabled": Face("idle", icon="circle-off", word="Disabled"),
    # Runs and their steps.
    "pending": Face("idle", icon="clock", word="Pending"),
    "running": _BUSY,
    "waiting": _like(_INFO, "Waiting"),
    "done": _like(_OK, "Done"),
    "succeeded": _like(_OK, "Succeeded"),
    "partial": _like(_WARN, "Partial"),
    "failed": _like(_BAD, "Failed"),
    "skipped": Face("idle", icon="player-skip-forward", word="Skipped"),
    "cancelled": Face("idle", icon="circle-off", word="Cancelled"),
    # Plans and approvals.
    "computing": _like(_BUSY, "Computing"),
    "ready": _like(_OK, "Ready"),
    "approved": Face("ok", icon="user-check", word="Approved"),
    "rejected": Face("bad", icon="user-x", word="Rejected"),
    "awaiting": Face("info", icon="user-check", word="Awaiting approval"),
    "provisioned": _like(_OK, "Provisioned"),
    "provisioning": _like(_BUSY, "Provisioning"),
    "invalid": _like(_BAD, "Invalid"),
    # What becomes of a flow.
    "delivered": _like(_OK, "Delivered"),
    "delivered_inspected": Face("inspect", icon="shield-search", word="Delivered, inspected"),
    "local": Face("info", icon="home", word="Local"),
    "denied_by_rule": Face("bad", icon="ban", word="Denied by a rule"),
    "denied_by_stance": Face("bad", icon="ban", word="Denied by the stance"),
    "denied_by_service": Face("bad", icon="shield-x", word="Denied by the firewall"),
    "denied_spoofed": Face("bad", icon="spy", word="Dropped as spoofed"),
    "no_route": Face("bad", icon="route-off", word="No route"),
    "isolated": Face("bad", icon="link-off", word="Isolated"),
    "service_unavailable": _like(_BAD, "Service unavailable"),
    "connector_down": _like(_BAD, "Connector down"),
    # Money.
    "draft": Face("idle", icon="pencil", word="Draft"),
    "open": _like(_INFO, "Open"),
    "issued": _like(_INFO, "Issued"),
    "paid": _like(_OK, "Paid"),
    "overdue": _like(_BAD, "Overdue"),
    "void": Face("idle", icon="circle-off", word="Void"),
    # Credentials.
    "expired": Face("idle", icon="clock-off", word="Expired"),
    "revoked": Face("idle", icon="circle-off", word="Revoked"),
    "unchecked": _like(_IDLE, "Not checked yet"),
    # Policy actions.
    "allow": Face("allow", icon="circle-check", word="Allow"),
    "deny": Face("deny", icon="ban", word="Deny"),
    "inspect": Face("inspect", icon="shield-search", word="Inspect"),
    "watch": Face("watch", icon="eye", word="Watch"),
}

ACTIONS = {"allow", "deny", "inspect", "watch"}


def face(state: str) -> Face:
    """The face of a state; one nobody has drawn yet is shown by its own word, never as healthy."""
    word = state.replace("_", " ").capitalize()
    return FACES.get(state) or Face("idle", icon="circle-dashed", word=word or "Unknown")
