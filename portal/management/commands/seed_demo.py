import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.demo import ensure_demo_prices
from billing.demo_history import ensure_demo_history
from portal.demo import NOT_PROVISIONED, aws, network, people
from tenants.actor import Actor, acting
from tenants.scope import scope

NETADMIN, MSP = Actor(f"netadmin@{people.DOMAIN}"), Actor(f"msp@{people.DOMAIN}", acting_as="northwind")


class Command(BaseCommand):
    help = "Seeds the demo: people, prices, networks that are provisioned and pass packets. Repeating it adds nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--password", default=os.environ.get("DEMO_PASSWORD"), help="of every login that is new")
        parser.add_argument("--people-only", action="store_true", help="organisations, logins and prices, no networks")

    def handle(self, *, password: str | None, people_only: bool, **options: Any) -> None:
        if not password:
            raise CommandError("Give --password, or set DEMO_PASSWORD.")
        tenants = people.seed_people(password)
        ensure_demo_prices()
        if people_only:
            return
        acme = tenants["acme-health"]
        aws.seed_vpcs()
        with acting(NETADMIN):
            reason = network.ensure_account(acme, aws.ACCOUNT, aws.ACCOUNT_ID, aws.REGIONS, aws.CREDENTIALS)
        if reason:
            raise CommandError(f"{aws.ACCOUNT} is not discovered: {reason}", returncode=NOT_PROVISIONED)
        missing = []
        for slug, actor in (("acme-health", NETADMIN), ("globex-retail", MSP)):
            self.stdout.write(f"provisioning {slug}")
            self.stdout.flush()
            with acting(actor):
                reason = network.provision_network(tenants[slug])
            missing += [f"{slug} is not provisioned: {reason}"] if reason else []
            with scope(tenants[slug]):
                ensure_demo_history(timezone.now())
        with acting(NETADMIN):
            network.create_open_draft(acme)
        if missing:
            raise CommandError("\n".join(missing), returncode=NOT_PROVISIONED)
