"""Services that flows cannot be sent through, and features that are not carried out yet."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.fabric import MOST_INSTANCES, MOST_SERVICES
from provisioning.core.intent import Intent
from provisioning.core.resource import Problem


def chains(intent: Intent) -> Iterator[Problem]:
    """Every service of an inspecting rule has a placement, is in the policy's segments, and shares an exchange."""
    for policy in intent.policies.values():
        for place, rule in enumerate(policy.rules):
            path = f"policies/{policy.key}/rules[{place}].services"
            where = f"Rule “{rule.name}” of policy “{policy.name}”"
            common: set[str] | None = None
            for nth, uid in enumerate(rule.services):
                service = intent.services.get(uid)
                if service is None:
                    continue
                if not service.placements:
                    yield Problem(
                        "no_placement",
                        f"{path}[{nth}]",
                        f"{where} uses service “{service.name}”, which is placed at no exchange. Give it a placement.",
                    )
                    continue
                for segment in policy.segments:
                    if segment in intent.segments and segment not in service.segments:
                        yield Problem(
                            "service_not_in_segment",
                            f"{path}[{nth}]",
                            f"{where} uses service “{service.name}”, which is not in segment "
                            f"“{intent.segments[segment].name}”. Add the segment to the service.",
                        )
                exchanges = {placement.exchange for placement in service.placements}
                common = exchanges if common is None else common & exchanges
            if common is not None and not common:
                names = ", ".join(f"“{intent.services[uid].name}”" for uid in rule.services if uid in intent.services)
                yield Problem(
                    "chain_apart",
                    path,
                    f"{where} sends flows through {names}, but no exchange has a placement of all of them.",
                )


def limits(intent: Intent) -> Iterator[Problem]:
    """What exchange nodes can remember of a flow."""
    for policy in intent.policies.values():
        for place, rule in enumerate(policy.rules):
            if len(rule.services) > MOST_SERVICES:
                yield Problem(
                    "too_many_services",
                    f"policies/{policy.key}/rules[{place}].services",
                    f"Rule “{rule.name}” of policy “{policy.name}” names {len(rule.services)} services; "
                    f"a flow passes {MOST_SERVICES} at most.",
                )
    for service in intent.services.values():
        for place, placement in enumerate(service.placements):
            if placement.max_instances > MOST_INSTANCES:
                yield Problem(
                    "too_many_instances",
                    f"services/{service.key}/placements[{place}].max_instances",
                    f"Service “{service.name}” may grow to {placement.max_instances} instances at one exchange; "
                    f"{MOST_INSTANCES} is the most.",
                )


def later(intent: Intent) -> Iterator[Problem]:
    """What may be written down but is not carried out yet says so."""
    for connector in intent.connectors.values():
        if connector.failover_exchange:
            yield Problem(
                "failover_not_carried_out",
                f"connectors/{connector.key}/failover_exchange",
                f"Connector “{connector.name}” names a failover exchange; that is kept, but not carried out yet.",
                "warning",
            )
