import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants import audit
from tenants.models import Tenant
from tenants.scope import scope


class Command(BaseCommand):
    help = "Recomputes the audit log's chain of hashes; exit 1 on any difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", help="slug; all tenants without it")

    def handle(self, *, tenant: str | None, **options: Any) -> None:
        tenants = Tenant.objects.filter(slug=tenant) if tenant else Tenant.objects.order_by("slug")
        if tenant and not tenants:
            raise CommandError(f"There is no tenant {tenant}.")
        broken = False
        for each in tenants:
            with scope(each):
                findings = list(audit.verify_chain())
            broken = broken or bool(findings)
            self.stdout.write(f"{each.slug}: {'holds' if not findings else ''}")
            for finding in findings:
                self.stdout.write(f"  {finding}")
        if broken:
            sys.exit(1)
