"""Clients for one account and region, made from the credentials of a cloud account.

The credentials are ``access_key_id`` and ``secret_access_key`` (and ``session_token``). With ``role_arn`` and
``external_id`` they are those of the installation's own identity, or none: the machine's; the role is then assumed.
Before anything is touched, AWS is asked whose account the credentials open.
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
"""Cached clients in one process. One takes about 1 MB once the service model is loaded."""

_lock = threading.Lock()
_session: Any = None
_cached_apis: dict[str, tuple[float, AwsApi]] = {}


class AwsApi:
    """Calls to one account in one region, by AWS' own operation names.

    Writes go through a client that never repeats a call: EC2's creates take no client token, so repeating one whose
    answer was lost would create twice. Reads may be repeated once. ``with_cache`` keeps every listing it has read, so
    that observing 500 resources lists each kind once.
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
        """Return all pages of a listing; ``items`` is the member of the answer that holds them."""
        key = content_digest([operation, arguments])
        if self._cached_listings is not None and key in self._cached_listings:
            return self._cached_listings[key]
        listed: list[dict[str, Any]] = []
        token: str | None = None
        while True:
            page = call_operation(
                self._reading, self._service, operation, {**arguments, **({"NextToken": token} if token else {})}
            )
            listed.extend(page.get(items) or [])
            token = page.get("NextToken")
            if not token:
                break
        if self._cached_listings is not None:
            self._cached_listings[key] = listed
        return listed


def call_operation(client: Any, service: str, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of one call; raises DriverError, which names the call, for whatever goes wrong."""
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
    """Return clients for an account and region, cached until the assumed role expires; checks whose account it is."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    key = content_digest([credentials.account, dict(credentials.secret), region, endpoint])
    with _lock:
        cached = _cached_apis.get(key)
    if cached and cached[0] > time.monotonic():
        return cached[1]
    keys, seconds = _client_credentials(credentials, region)
    api = AwsApi(
        _create_client("ec2", region, keys, attempts=2),
        _create_client("ec2", region, keys, attempts=1),
        _verify_account(credentials, keys, region),
        region,
    )
    with _lock:
        while len(_cached_apis) >= MAX_CACHED_CLIENTS:
            _cached_apis.pop(next(iter(_cached_apis)))
        _cached_apis[key] = (time.monotonic() + seconds, api)
    return api


def clear_cached_clients() -> None:
    """Drop every cached client, because credentials have expired."""
    with _lock:
        _cached_apis.clear()


def _create_client(service: str, region: str, keys: Mapping[str, str], attempts: int) -> Any:
    """Return a client of the one shared session: each further session would load EC2's 20 MB model again."""
    global _session
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": attempts},
        user_agent_extra="causeway",
    )
    with _lock:  # sessions are not thread-safe, clients are
        if _session is None:
            _session = boto3.session.Session()
        try:
            return _session.client(service, region_name=region, config=config, **keys)
        except BotoCoreError as error:
            message = f"There is no client for region “{region}”: {error}"
            raise DriverError(message, call=service, code=type(error).__name__, permanent=True) from error


def _client_credentials(credentials: CloudCredentials, region: str) -> tuple[dict[str, str], float]:
    """Return keyword arguments for a client, and for how many seconds they are valid."""
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
    """Return the account that these keys open; raises where it is not the one that the customer named."""
    answer = call_operation(_create_client("sts", region, keys, attempts=2), "sts", "GetCallerIdentity", {})
    actual = str(answer["Account"])
    expected = credentials.secret.get("account_id") or credentials.account
    if expected.isdigit() and len(expected) == 12 and expected != actual:
        raise DriverError(
            f"These credentials open AWS account {actual}, but the cloud account says {expected}. "
            "Correct the account number or the credentials.",
            call="sts.GetCallerIdentity",
            code="WrongAccount",
            permanent=True,
        )
    return actual
