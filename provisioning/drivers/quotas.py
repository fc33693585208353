"""Which quotas of a cloud a plan would exceed, so that one that cannot succeed is refused before it runs.

Only what Causeway itself makes is counted: the cloud still has the last word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from provisioning.core.values.resource import Problem, Resource
from provisioning.drivers.cloud import Cloud


def find_exceeded_quotas(
    cloud: Cloud, resources: Iterable[Resource], limits: Mapping[str, int] | None = None
) -> list[Problem]:
    """Return a problem for every quota that the desired resources together exceed.

    ``limits``: code → limit, in place of the default, for accounts whose limits were raised.
    """
    quotas = {quota.code: quota for quota in cloud.quotas}
    used: Counter[tuple[str, str]] = Counter()
    for resource in resources:
        if resource.driver == cloud.name:
            for use in cloud.quota_uses(resource):
                used[use.code, use.counted_in] += use.amount
    problems = []
    for (code, counted_in), amount in sorted(used.items()):
        quota = quotas[code]
        limit = (limits or {}).get(code, quota.limit)
        if amount > limit:
            problems.append(
                Problem(
                    code,
                    counted_in,
                    f"{counted_in} would have {amount} {quota.resources}, {cloud.label} allows {limit} for each "
                    f"{quota.per}. Use fewer, another region or {cloud.account_word}, or have {cloud.label} raise "
                    "the limit.",
                )
            )
    return problems
