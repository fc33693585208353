"""What a person can do about a failed step, by the code the other side gave."""

from __future__ import annotations

REMEDIES = {
    "account_missing": "Add the cloud account again under Cloud accounts, then retry.",
    "InvalidClientTokenId": "The access key is unknown to AWS. Put a new one in under Cloud accounts, then retry.",
    "SignatureDoesNotMatch": "The secret key is wrong. Put the right one in under Cloud accounts, then retry.",
    "ExpiredToken": "The credentials have expired. Renew them under Cloud accounts, then retry.",
    "InvalidVpcID.NotFound": "The VPC is gone. Discover the account again, then remove or change its connector.",
    "RouteAlreadyExists": "Another route for that destination is there that is not ours; we never overwrite one. "
    "Remove it in the cloud, or leave its prefix out of the segment, then retry.",
    "conflict": "Something that is not ours stands in the way. Remove or rename it in the cloud, then retry.",
}
DENIED = ("AccessDenied", "UnauthorizedOperation", "AuthFailure", "AccessDeniedException", "AuthorizationFailed")
LIMITS = ("LimitExceeded", "Throttling", "RequestLimitExceeded", "ServiceUnavailable", "InternalError")


def remedy(code: str, call: str) -> str:
    """One or two sentences; for a code nobody has described yet, what is true of every failure."""
    if code in REMEDIES:
        return REMEDIES[code]
    if any(word in code for word in DENIED):
        return f"Allow {call or 'the call'} to the credentials of this cloud account, then retry."
    if code.endswith("LimitExceeded"):
        return "A quota of the cloud account is used up. Raise it with the provider or free some of it, then retry."
    if any(word in code for word in LIMITS):
        return "The other side was busy; every attempt was refused. Retry in a few minutes."
    return "Remedy what the cause says, then retry. Steps that are done stay done."
