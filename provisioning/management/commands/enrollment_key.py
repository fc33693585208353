from typing import Any

from django.core.management.base import BaseCommand

from provisioning.services.nodes import enrollment_key


class Command(BaseCommand):
    help = "Prints what a new exchange node shows once to be let in; it goes into the node's configuration."

    def handle(self, **options: Any) -> None:
        self.stdout.write(enrollment_key())
