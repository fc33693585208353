from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from provisioning.services.nodes import enrollment_key


class Command(BaseCommand):
    help = "Prints the key that a new exchange node shows when it enrolls."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("location", help="of the catalogue, for example aws-eu-central-1")
        parser.add_argument("index", type=int, choices=(1, 2), help="which node of the pair")

    def handle(self, *, location: str, index: int, **options: Any) -> None:
        self.stdout.write(enrollment_key(location, index))
