from typing import Any

from django.core.management.base import BaseCommand

from provisioning.services.nodes import enrollment_key


class Command(BaseCommand):
    help = "Prints the key that a new exchange node shows when it enrolls."

    def handle(self, **options: Any) -> None:
        self.stdout.write(enrollment_key())
