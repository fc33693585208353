"""What a plan newly opens towards the internet, or from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioning.core.intent import ANY, INTERNET, Intent
from provisioning.core.reach.delta import FlowChange
from provisioning.core.values.headers import narrowing_text
from provisioning.core.values.resource import Problem


def internet_exposure_warnings(after: Intent, allowed: Sequence[FlowChange]) -> Iterator[Problem]:
    """Yield what comes to be delivered to the internet or from it, whatever in the network makes it so.

    allowed: the flows that are delivered after the change and not before.
    """
    matches: dict[tuple[str, str, str], list[str]] = {}
    for change in allowed:
        if change.internet:
            start = change.internet if _is_inbound(change) else ", ".join(change.from_)
            end = _target_names(after, change.to) if _is_inbound(change) else change.internet
            found = matches.setdefault((change.rule_after or "", start, end), [])
            protocol = "any protocol" if change.protocol == ANY else change.protocol
            numbers = ", ".join((*change.ports, *change.icmp_types))
            found.append(" ".join(filter(None, (protocol, numbers))) + narrowing_text(change.source_ports, change.dscp))
    paths = _rule_paths(after)
    for (rule_id, start, end), found in matches.items():
        path, rule = paths[rule_id]
        message = f"{start} → {end} would be open for {'; '.join(found)}: {rule} lets it through."
        yield Problem("internet_exposure", path, message, "warning")


def _is_inbound(change: FlowChange) -> bool:
    """From the internet only applications are reached, and nothing else is a source beside it."""
    return change.internet in change.from_


def _target_names(after: Intent, names: Sequence[str]) -> str:
    """Return the names of applications, each with the target that it leads to."""
    apps = {app.name: app for app in after.internet_apps.values()}
    targets = [(name, apps[name].target) for name in names]
    return ", ".join(
        f"{name} ({', '.join(target.addresses)} port {target.port} of {after.label(target.connector)})"
        for name, target in targets
    )


def _rule_paths(after: Intent) -> dict[str, tuple[str, str]]:
    """Return rule id → its path and its name in a sentence."""
    return {
        policy.rule_id(rule): (
            f"policies/{policy.key}/rules[{index}]",
            f"rule “{rule.name}” of policy “{policy.name}”",
        )
        for policy in after.policies.values()
        if INTERNET in (*policy.from_, *policy.to)
        for index, rule in enumerate(policy.rules)
    }
