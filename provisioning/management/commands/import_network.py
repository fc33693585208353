import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from provisioning.core.translators import FORMATS
from provisioning.core.translators.translation import NOTE_KINDS, SourceFile
from provisioning.models import Draft
from provisioning.services.drafts import foreign_import, lifecycle
from tenants.actor import Actor, acting
from tenants.errors import RequestRefused
from tenants.models import Tenant
from tenants.scope import scope


class Command(BaseCommand):
    help = "Translates files of another system and adds what they say to a draft; prints what could not be said."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path)
        parser.add_argument("--format", required=True, choices=FORMATS, dest="source_format")
        parser.add_argument("--tenant", required=True, help="its slug")
        parser.add_argument("--draft", required=True, help="name of an open draft; it is made where there is none")
        parser.add_argument("--options", default="{}", help='as the API takes them, such as {"exchange": "eu"}')
        parser.add_argument("--dry-run", action="store_true", help="only tell")
        parser.add_argument("--author", default="import_network", help="who is written down for the edit")

    def handle(self, *, files: list[Path], source_format: str, tenant: str, draft: str, **options: Any) -> None:
        owner = Tenant.objects.filter(slug=tenant).first()
        if owner is None:
            raise CommandError(f"There is no tenant {tenant}.")
        try:
            sources = [SourceFile(path.name, path.read_bytes()) for path in files]
            chosen = json.loads(options["options"])
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        if not isinstance(chosen, dict):
            raise CommandError("--options is a JSON object.")
        try:
            with scope(owner), acting(Actor(options["author"])):
                found = Draft.objects.filter(name=draft, state=Draft.State.OPEN).first()
                target = found or lifecycle.create_draft(draft)
                result = foreign_import.import_files(target, source_format, sources, chosen, dry_run=options["dry_run"])
                if options["dry_run"]:
                    transaction.set_rollback(True)
        except RequestRefused as error:
            lines = [f"{problem.path}: {problem.message}" for problem in error.problems] or [error.detail]
            raise CommandError("\n".join(lines)) from error
        self._print(result, dry_run=options["dry_run"])

    def _print(self, result: dict[str, Any], *, dry_run: bool) -> None:
        done = "would be " if dry_run else ""
        for note in result["notes"]:
            self.stdout.write(
                f"{NOTE_KINDS[note['kind']]}: {note['place']}: {note['says']}. {note['why']} {note['remedy']}"
            )
        if result["more_notes"]:
            self.stdout.write(f"… and {result['more_notes']} more.")
        self.stdout.write(f"{result['created']} objects {done}created, {result['changed']} {done}changed.")
