"""How a state is shown: tone, icon and word, in one table, so that no colour ever stands without its word."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StateStyle:
    tone: str  # ok, warn, bad, info, idle, or an action's own: allow, deny, inspect, pass
    icon: str
    word: str


_OK = StateStyle("ok", icon="circle-check", word="Healthy")
_WARN = StateStyle("warn", icon="alert-triangle", word="Degraded")
_BAD = StateStyle("bad", icon="circle-x", word="Down")
_INFO = StateStyle("info", icon="clock", word="Waiting")
_IDLE = StateStyle("idle", icon="circle-dashed", word="Unknown")
_BUSY = StateStyle("info", icon="loader-2", word="Running")


def _with_word(style: StateStyle, word: str) -> StateStyle:
    return StateStyle(style.tone, style.icon, word)


STATE_STYLES: dict[str, StateStyle] = {
    # Objects on the topology.
    "up": _with_word(_OK, "Up"),
    "healthy": _OK,
    "live": StateStyle("ok", icon="access-point", word="Live"),
    "degraded": _WARN,
    "down": _BAD,
    "stale": _with_word(_WARN, "Stale"),
    "unknown": _IDLE,
    "active": _with_word(_OK, "Active"),
    "standby": _with_word(_IDLE, "Standby"),
    "disabled": StateStyle("idle", icon="circle-off", word="Disabled"),
    # Runs and their steps.
    "pending": StateStyle("idle", icon="clock", word="Pending"),
    "running": _BUSY,
    "waiting": StateStyle("warn", icon="hourglass", word="Waiting"),
    "done": _with_word(_OK, "Done"),
    "succeeded": _with_word(_OK, "Succeeded"),
    "partial": _with_word(_WARN, "Partial"),
    "failed": _with_word(_BAD, "Failed"),
    "skipped": StateStyle("idle", icon="player-skip-forward", word="Skipped"),
    "cancelled": StateStyle("idle", icon="circle-off", word="Cancelled"),
    # Plans and approvals.
    "computing": _with_word(_BUSY, "Computing"),
    "ready": _with_word(_OK, "Ready"),
    "approved": StateStyle("ok", icon="user-check", word="Approved"),
    "rejected": StateStyle("bad", icon="user-x", word="Rejected"),
    "awaiting": StateStyle("info", icon="user-check", word="Awaiting approval"),
    "provisioned": _with_word(_OK, "Provisioned"),
    "provisioning": _with_word(_BUSY, "Provisioning"),
    "invalid": _with_word(_BAD, "Invalid"),
    # What becomes of a flow.
    "delivered": _with_word(_OK, "Delivered"),
    "delivered_inspected": StateStyle("inspect", icon="shield-search", word="Delivered, inspected"),
    "local": StateStyle("info", icon="home", word="Local"),
    "denied_by_rule": StateStyle("bad", icon="ban", word="Denied by a rule"),
    "denied_by_default": StateStyle("bad", icon="ban", word="Denied by default"),
    "denied_by_service": StateStyle("bad", icon="shield-x", word="Denied by the firewall"),
    "denied_spoofed": StateStyle("bad", icon="spy", word="Dropped as spoofed"),
    "no_route": StateStyle("bad", icon="route-off", word="No route"),
    "isolated": StateStyle("bad", icon="link-off", word="Isolated"),
    "service_unavailable": _with_word(_BAD, "Service unavailable"),
    "connector_down": _with_word(_BAD, "Connector down"),
    # Money.
    "draft": StateStyle("idle", icon="pencil", word="Draft"),
    "open": _with_word(_INFO, "Open"),
    "issued": _with_word(_INFO, "Issued"),
    "paid": _with_word(_OK, "Paid"),
    "overdue": _with_word(_BAD, "Overdue"),
    "void": StateStyle("idle", icon="circle-off", word="Void"),
    # Credentials.
    "expired": StateStyle("idle", icon="clock-off", word="Expired"),
    "revoked": StateStyle("idle", icon="circle-off", word="Revoked"),
    "unchecked": _with_word(_IDLE, "Not checked yet"),
    # Policy actions.
    "allow": StateStyle("allow", icon="circle-check", word="Allow"),
    "deny": StateStyle("deny", icon="ban", word="Deny"),
    "inspect": StateStyle("inspect", icon="shield-search", word="Inspect"),
    "monitor": StateStyle("info", icon="eye", word="Monitor"),
    "pass": StateStyle("pass", icon="player-track-next", word="Pass"),
}

ACTIONS = {"allow", "deny", "inspect", "pass"}


def state_style(state: str) -> StateStyle:
    """Return the style of a state; an unknown one is shown by its own word, never as healthy."""
    word = state.replace("_", " ").capitalize()
    return STATE_STYLES.get(state) or StateStyle("idle", icon="circle-dashed", word=word or "Unknown")
