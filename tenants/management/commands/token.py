from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.models import Tenant, User
from tenants.tokens import issue


class Command(BaseCommand):
    help = "Prints a new API token."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--tenant", help="slug; the token works in this tenant only")
        parser.add_argument("--scopes", default="", help="rights separated by commas; none: all of the user's")

    def handle(self, *, email: str, tenant: str | None, scopes: str, **options: Any) -> None:
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise CommandError(f"There is no user {email}.")
        only = Tenant.objects.filter(slug=tenant).first() if tenant else None
        if tenant and only is None:
            raise CommandError(f"There is no tenant {tenant}.")
        try:
            _, secret = issue(user, "command line", tenant=only, scopes=[s for s in scopes.split(",") if s])
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(secret)
