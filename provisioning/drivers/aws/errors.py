"""What an AWS error means for a run: wait, try again, or ask a person.

Codes: "Error codes for the Amazon EC2 API", https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-errors.html
"""

from __future__ import annotations

from typing import Any

from provisioning.drivers.base import DriverError

THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "EC2ThrottledException",
        "TooManyRequestsException",
        "RequestThrottled",
        "RequestThrottledException",
        "BandwidthLimitExceeded",
    }
)
"""Too many calls. EC2 names no time, so THROTTLE_SECONDS lets its token bucket refill."""

DEPENDENCY_BUSY = frozenset(
    {
        "IncorrectState",
        "IncorrectModificationState",
        "DependencyViolation",
        "ConcurrentMutationLimitExceeded",
        "OperationNotPermitted.InProgress",
        "InsufficientCapacity",
    }
)
"""Something that depends on it is still being created or deleted; AWS finishes that by itself."""

EXPIRED_CREDENTIALS = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
"""The credentials of an assumed role are over; the next try assumes the role again."""

UNAVAILABLE = frozenset({"InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable", "RequestTimeout"})

THROTTLE_SECONDS = 3.0
BUSY_SECONDS = 20.0
UNAVAILABLE_SECONDS = 2.0
NO_ANSWER_SECONDS = 5.0
"""AWS' listings lag behind its creates by seconds: an earlier retry would not find what to adopt."""


def error_from_response(answer: dict[str, Any], call: str) -> DriverError:
    """Return the error for the response of a botocore ClientError; ``call`` is like ``ec2.CreateTransitGateway``."""
    error = answer.get("Error", {})
    code, message = str(error.get("Code", "")), str(error.get("Message", "") or "AWS gave no message.")
    meta = answer.get("ResponseMetadata", {})
    status = int(meta.get("HTTPStatusCode", 0) or 0)
    if code in THROTTLED or status == 429:
        return DriverError(message, call=call, code=code, retry_after=_retry_after(meta) or THROTTLE_SECONDS)
    if code in DEPENDENCY_BUSY:
        return DriverError(message, call=call, code=code, retry_after=BUSY_SECONDS)
    if code in UNAVAILABLE or code in EXPIRED_CREDENTIALS or status >= 500:
        return DriverError(message, call=call, code=code, retry_after=_retry_after(meta) or UNAVAILABLE_SECONDS)
    return DriverError(message, call=call, code=code, permanent=True)


def error_from_transport(error: Exception, call: str) -> DriverError:
    """Return the error for a call without an answer. AWS may have carried it out: a retry looks for it first."""
    name = type(error).__name__
    return DriverError(f"No answer from AWS: {error}", call=call, code=name, retry_after=NO_ANSWER_SECONDS)


def _retry_after(meta: dict[str, Any]) -> float | None:
    """Return the seconds of a Retry-After header; None without one."""
    value = meta.get("HTTPHeaders", {}).get("retry-after", "")
    return float(value) if str(value).isdigit() else None
