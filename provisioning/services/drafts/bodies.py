"""Bodies as they are kept: read by the core, with names resolved in the network they belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from provisioning.core import intent as core
from provisioning.core.intent import ResolveReference
from provisioning.core.values.resource import Problem
from provisioning.drivers import cloud_of_connector
from provisioning.drivers.cloud import Cloud
from provisioning.errors import ValidationFailed
from provisioning.models import CloudAccount
from provisioning.services.drafts.overlay import Body

IDENTITY_FIELDS = ("id", "key", "number")
"""What answers tell beside the body, and what may be sent back with it."""


class BodyNormaliser:
    """Reads bodies against what ``resolve`` knows: (kind, name or id) → uid."""

    def __init__(self, resolve: ResolveReference) -> None:
        self.resolve = resolve

    def clean(self, kind: str, body: Any) -> Body:
        """The stored form. Raises Invalid with every problem of the body."""
        if isinstance(body, Mapping):
            body = {key: value for key, value in body.items() if key not in IDENTITY_FIELDS}
        try:
            clean = core.normalise_body(kind, body, self.resolve)
        except core.InvalidIntent as error:
            raise ValidationFailed(error.problems[0].message, error.problems) from error
        if kind == "connectors" and (cloud := cloud_of_connector(clean["kind"])):
            setting = cloud.account_setting(clean["kind"])
            clean["settings"][setting] = self._account_id(cloud, setting, clean["settings"][setting])
        return clean

    def _account_id(self, cloud: Cloud, setting: str, account: str) -> str:
        """Return the number the cloud knows an account by, given its uid, name or number: addresses are made of it."""
        if (cloud.name, account) not in self._account_ids:
            message = f"There is no {cloud.label} account “{account}”. Add it first."
            raise ValidationFailed(message, [Problem("unknown_reference", f"settings.{setting}", message)])
        return self._account_ids[cloud.name, account]

    @cached_property
    def _account_ids(self) -> dict[tuple[str, str], str]:
        """(cloud, uid or name or number) → number."""
        return {
            (account.provider, name): account.account_id
            for account in CloudAccount.objects.all()
            for name in (str(account.uid), account.name, account.account_id)
        }


class ProblemCollector:
    """What is wrong with many bodies, each problem with the place of its body before its own path."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, code: str, path: str, message: str) -> None:
        self.found.append(Problem(code, path, message))

    def of(self, place: str, read: Callable[[], Body]) -> Body | None:
        """What ``read`` gives, or None when it refuses."""
        try:
            return read()
        except ValidationFailed as error:
            for one in error.problems:
                self.add(one.code, f"{place}.{one.path}".rstrip("."), one.message)
            return None

    def raise_if_any(self) -> None:
        """Raise Invalid when there are any."""
        if self.found:
            more = f" And {len(self.found) - 1} more." if len(self.found) > 1 else ""
            raise ValidationFailed(self.found[0].message + more, self.found)
