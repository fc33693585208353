"""The lab from outside: run a command behind a connector, take nodes down and up, drop a circuit for a while."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from provisioning.lab.control import Lab, LabError


class Command(BaseCommand):
    help = (
        "exec TENANT CONNECTOR -- CMD… · cut LOCATION[/NODE] · heal LOCATION[/NODE] · flap TENANT CONNECTOR[/CIRCUIT]"
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        run = verbs.add_parser("exec", help="run a command in the workload behind a connector")
        run.add_argument("tenant")
        run.add_argument("connector")
        run.add_argument("argv", nargs="+", metavar="CMD", help="after --")
        for verb, does in (("cut", "down"), ("heal", "up again")):
            each = verbs.add_parser(verb, help=f"take an exchange location, or one of its nodes, {does}")
            each.add_argument("place", metavar="LOCATION[/NODE]")
        flap = verbs.add_parser("flap", help="drop and restore a connector's circuit")
        flap.add_argument("tenant")
        flap.add_argument("circuit", metavar="CONNECTOR[/CIRCUIT]")
        flap.add_argument("--seconds", type=float, default=5)

    def handle(self, *, verb: str, **options: Any) -> None:
        if not settings.LAB_STATE:
            raise CommandError(
                "LAB_STATE is not set: it names the state file of the running lab (`make demo` prints it)"
            )
        try:
            getattr(self, f"_{verb}")(Lab(settings.LAB_STATE), **options)
        except LabError as error:
            raise CommandError(str(error)) from error

    def _exec(self, lab: Lab, tenant: str, connector: str, argv: list[str], **_: Any) -> None:
        sys.exit(lab.exec_in(tenant, connector, argv))

    def _cut(self, lab: Lab, place: str, **_: Any) -> None:
        self.stdout.write(f"down: {', '.join(lab.cut(*_parse_node(place)))}")

    def _heal(self, lab: Lab, place: str, **_: Any) -> None:
        self.stdout.write(f"up: {', '.join(lab.heal(*_parse_node(place)))}")

    def _flap(self, lab: Lab, tenant: str, circuit: str, seconds: float, **_: Any) -> None:
        connector, _slash, name = circuit.partition("/")
        lab.flap(tenant, connector, name or None, seconds)
        self.stdout.write(f"{tenant} {circuit} was down for {seconds:g} s")


def _parse_node(text: str) -> tuple[str, int | None]:
    location, _, node = text.partition("/")
    if node not in ("", "1", "2"):
        raise CommandError(f"{text}: the node is 1 or 2")
    return location, int(node) if node else None
