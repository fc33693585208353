from argparse import ArgumentParser
from typing import Any

from billing.services import ensure_demo_prices
from django.core.management.base import BaseCommand, CommandError

from portal.demo import network, people

REGIONS = ["eu-central-1", "us-east-1"]
CREDENTIALS = {"access_key_id": "test", "secret_access_key": "test"}


class Command(BaseCommand):
    help = "Seeds the demo: people, prices, networks that are provisioned and pass packets. Repeating it adds nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--password", required=True)
        parser.add_argument("--people-only", action="store_true", help="organisations, logins and prices, no networks")

    def handle(self, *, password: str, people_only: bool, **options: Any) -> None:
        tenants = people.ensure(password)
        ensure_demo_prices()
        if people_only:
            return
        acme = tenants["acme-health"]
        try:
            network.account(acme, "acme-aws", "123456789012", REGIONS, CREDENTIALS)
            for slug in ("acme-health", "globex-retail"):
                network.provision(tenants[slug])
                self.stdout.write(f"{slug} is provisioned")
            network.open_draft(acme)
        except network.DemoFailed as error:
            raise CommandError(str(error)) from error
