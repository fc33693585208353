"""From what the vault holds to clients of one account and region.

A secret has ``access_key_id`` and ``secret_access_key`` (and ``session_token``), or, for role assumption, those of the
installation's own identity (or none: the machine's) with ``role_arn`` and ``external_id``. ``account_id`` is the
12 digits the customer said; we ask AWS whose account it really is before touching anything in it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from provisioning.core.values.resource import content_digest
from provisioning.drivers.aws.errors import error_from_response, error_from_transport
from provisioning.drivers.base import CloudCredentials, DriverError

CONNECT_SECONDS = 5
READ_SECONDS = 20
ROLE_SECONDS = 3600
RENEW_BEFORE = 300
MAX_CACHED_CLIENTS = 64
"""Cached clients in one process; one costs about 1 MB once the service model is loaded."""

_lock = threading.Lock()
_session: Any = None
_cached_apis: dict[str, tuple[float, AwsApi]] = {}


class AwsApi:
    """Calls to one account in one region, by AWS' own operation names.

    Writes go through a client that never repeats a call by itself: a create whose answer was lost would be made
    twice, for EC2's creates know no client token. Reads may be repeated once.
    ``remembering`` keeps every listing it has seen, so that observing 500 resources asks once for each kind.
    """

    def __init__(self, reading: Any, writing: Any, account_id: str, region: str, service: str = "ec2") -> None:
        self._reading, self._writing, self._service = reading, writing, service
        self.account_id, self.region = account_id, region
        self._cached_listings: dict[str, list[dict[str, Any]]] | None = None

    def with_cache(self) -> AwsApi:
        copy = AwsApi(self._reading, self._writing, self.account_id, self.region, self._service)
        copy._cached_listings = {}
        return copy

    @property
    def has_cache(self) -> bool:
        return self._cached_listings is not None

    def write(self, operation: str, **arguments: Any) -> dict[str, Any]:
        return call_operation(self._writing, self._service, operation, arguments)

    def list(self, operation: str, items: str, **arguments: Any) -> list[dict[str, Any]]:
        """All pages of a listing; ``items`` is the member of the answer that holds them."""
        key = content_digest([operation, arguments])
        if self._cached_listings is not None and key in self._cached_listings:
            return self._cached_listings[key]
        found: list[dict[str, Any]] = []
        token: str | None = None
        while True:
            page = call_operation(
                self._reading, self._service, operation, {**arguments, **({"NextToken": token} if token else {})}
            )
            found.extend(page.get(items) or [])
            token = page.get("NextToken")
            if not token:
                break
        if self._cached_listings is not None:
            self._cached_listings[key] = found
        return found


def call_operation(client: Any, service: str, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One call; whatever goes wrong becomes a DriverError that names it."""
    from botocore import xform_name
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    call = f"{service}.{operation}"
    try:
        answer: dict[str, Any] = getattr(client, xform_name(operation))(**arguments)
        return answer
    except ClientError as error:
        raise error_from_response(dict(error.response), call) from error
    except ParamValidationError as error:
        raise DriverError(str(error), call=call, code="ParamValidation", permanent=True) from error
    except BotoCoreError as error:
        raise error_from_transport(error, call) from error


def connect(credentials: CloudCredentials, region: str) -> AwsApi:
    """Clients for an account and region, cached until the assumed role needs renewal; checks whose account it is."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    key = content_digest([credentials.account, dict(credentials.secret), region, endpoint])
    with _lock:
        cached = _cached_apis.get(key)
    if cached and cached[0] > time.monotonic():
        return cached[1]
    keys, lasts = _client_credentials(credentials, region)
    api = AwsApi(
        _create_client("ec2", region, keys, attempts=2),
        _create_client("ec2", region, keys, attempts=1),
        _verify_account(credentials, keys, region),
        region,
    )
    with _lock:
        while len(_cached_apis) >= MAX_CACHED_CLIENTS:
            _cached_apis.pop(next(iter(_cached_apis)))
        _cached_apis[key] = (time.monotonic() + lasts, api)
    return api


def clear_cached_clients() -> None:
    """Drop every cached client: after credentials expired, or between tests."""
    with _lock:
        _cached_apis.clear()


def _create_client(service: str, region: str, keys: Mapping[str, str], attempts: int) -> Any:
    """A client out of the one shared session: each further session would load EC2's 20 MB model again."""
    global _session
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": attempts},
        user_agent_extra="causeway",
    )
    with _lock:  # sessions are not safe under threads, clients are
        if _session is None:
            _session = boto3.session.Session()
        return _session.client(service, region_name=region, config=config, **keys)


def _client_credentials(credentials: CloudCredentials, region: str) -> tuple[dict[str, str], float]:
    """Keyword arguments for a client, and for how many seconds they hold."""
    secret = credentials.secret
    keys = {
        name: secret[field]
        for name, field in (
            ("aws_access_key_id", "access_key_id"),
            ("aws_secret_access_key", "secret_access_key"),
            ("aws_session_token", "session_token"),
        )
        if secret.get(field)
    }
    if not secret.get("role_arn"):
        if not keys:
            raise DriverError(
                f"Cloud account {credentials.account} has neither an access key nor a role. Enter one of them.",
                call="sts.GetCallerIdentity",
                code="NoCredentials",
                permanent=True,
            )
        return keys, ROLE_SECONDS
    arguments = {
        "RoleArn": secret["role_arn"],
        "RoleSessionName": "causeway",
        "DurationSeconds": ROLE_SECONDS,
        **({"ExternalId": secret["external_id"]} if secret.get("external_id") else {}),
    }
    answer = call_operation(_create_client("sts", region, keys, attempts=2), "sts", "AssumeRole", arguments)[
        "Credentials"
    ]
    assumed = {
        "aws_access_key_id": answer["AccessKeyId"],
        "aws_secret_access_key": answer["SecretAccessKey"],
        "aws_session_token": answer["SessionToken"],
    }
    return assumed, ROLE_SECONDS - RENEW_BEFORE


def _verify_account(credentials: CloudCredentials, keys: Mapping[str, str], region: str) -> str:
    """The account these keys open; refuses when it is not the one the customer named."""
    answer = call_operation(_create_client("sts", region, keys, attempts=2), "sts", "GetCallerIdentity", {})
    actual = str(answer["Account"])
    named = credentials.secret.get("account_id") or credentials.account
    if named.isdigit() and len(named) == 12 and named != actual:
        raise DriverError(
            f"These credentials open AWS account {actual}, but the cloud account says {named}. "
            "Correct the account number or the credentials.",
            call="sts.GetCallerIdentity",
            code="WrongAccount",
            permanent=True,
        )
    return actual
