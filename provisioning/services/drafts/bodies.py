"""Bodies as they are stored: read by the core, with references resolved to uids."""

from __future__ import annotations

import re
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
"""What the API shows beside the body; it may be sent back with the body, and is ignored."""


class BodyNormaliser:
    """Reads bodies against what ``resolve`` knows: (kind, name or id) → uid."""

    def __init__(self, resolve: ResolveReference) -> None:
        self.resolve = resolve

    def normalise(self, kind: str, body: Any, before: Body | None = None) -> Body:
        """Return the stored form; raise ValidationFailed with every problem of the body.

        ``before``: the body in whose place it is put. What a source gave stays where it is left out.
        """
        if isinstance(body, Mapping):
            body = {key: value for key, value in body.items() if key not in IDENTITY_FIELDS}
            if before and _keeps_source(kind, before, body):
                body = {"entries": before["entries"], **body}
        try:
            clean = core.normalise_body(kind, body, self.resolve)
        except core.InvalidIntent as error:
            raise ValidationFailed(error.problems[0].message, error.problems) from error
        if kind == "connectors" and (cloud := cloud_of_connector(clean["kind"])):
            setting = cloud.account_setting(clean["kind"])
            clean["settings"][setting] = self._account_id(cloud, setting, clean["settings"][setting])
        if before and _keeps_source(kind, before, clean) and clean["entries"] != before["entries"]:
            message = (
                "The entries of this list come from its source. Leave “entries” out; to keep entries by hand, take the "
                "source away or put them into a list that contains this one."
            )
            raise ValidationFailed(message, [Problem("from_source", "entries", message)])
        return clean

    def _account_id(self, cloud: Cloud, setting: str, account: str) -> str:
        """Return the number the cloud knows an account by, given its uid, name or number: addresses are made of it.

        A number that nobody added yet is taken: plans warn of it (services/plan_computation.py).
        """
        if number := self._account_ids.get((cloud.name, account)):
            return number
        if not re.fullmatch(cloud.account_id.pattern, account):
            message = f"There is no {cloud.label} account “{account}”. Add it first, or name it by its number."
            raise ValidationFailed(message, [Problem("unknown_reference", f"settings.{setting}", message)])
        return account

    @cached_property
    def _account_ids(self) -> dict[tuple[str, str], str]:
        """(cloud, uid or name or number) → number."""
        return {
            (account.provider, name): account.account_id
            for account in CloudAccount.objects.all()
            for name in (str(account.uid), account.name, account.account_id)
        }


def _keeps_source(kind: str, before: Body, body: Mapping[str, Any]) -> bool:
    """Return whether refreshes write the entries of a list, before a change of it and after."""
    return kind == "prefix-lists" and bool(before.get("source") and body.get("source"))


class ProblemCollector:
    """The problems of many bodies, each with the location of its body before its own path."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, code: str, path: str, message: str) -> None:
        self.problems.append(Problem(code, path, message))

    def collect(self, location: str, read: Callable[[], Body]) -> Body | None:
        """Return what ``read`` returns; None, with its problems kept, where it raises ValidationFailed.

        ``location`` is what stands before the path of each, with what parts them.
        """
        try:
            return read()
        except ValidationFailed as error:
            for problem in error.problems:
                self.add(problem.code, f"{location}{problem.path}".rstrip("./"), problem.message)
            return None

    def raise_if_any(self) -> None:
        """Raise ValidationFailed where there are any problems."""
        if self.problems:
            others = f" And {len(self.problems) - 1} more." if len(self.problems) > 1 else ""
            raise ValidationFailed(self.problems[0].message + others, self.problems)
