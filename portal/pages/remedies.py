"""What a person can do about a failed step, by the code the other side gave."""

from __future__ import annotations

from provisioning.drivers import CLOUDS

REMEDIES = {
    "account_missing": "Add the cloud account again under Cloud accounts, then retry.",
    "RouteAlreadyExists": "Another route for that destination is there that is not ours; we never overwrite one. "
    "Remove it in the cloud, or leave its prefix out of the segment, then retry.",
    "conflict": "Something that is not ours stands in the way. Remove or rename it in the cloud, then retry.",
}
"""What does not depend on the cloud; each cloud declares those of its own error codes."""


def remedy(code: str, call: str) -> str:
    """Return what to do, in one or two sentences; for an unknown code, what is true of every failure."""
    clouds = CLOUDS.values()
    for remedies in (REMEDIES, *(cloud.remedies for cloud in clouds)):
        if code in remedies:
            return remedies[code]
    if any(word in code for cloud in clouds for word in cloud.denied_codes):
        return f"Allow {call or 'the call'} to the credentials of this cloud account, then retry."
    if code.endswith("LimitExceeded"):
        return "A quota of the cloud account is used up. Raise it with the provider or free some of it, then retry."
    if any(word in code for cloud in clouds for word in cloud.busy_codes):
        return "The other side was busy; every attempt was refused. Retry in a few minutes."
    return "Remedy what the cause says, then retry. Steps that are done stay done."
