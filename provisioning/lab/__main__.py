"""``python -m provisioning.lab --config FILE`` runs the lab; ``--check`` says what this machine lacks for it."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from provisioning.lab import config, requirements
from provisioning.lab.sandbox import NamespacesUnavailable
from provisioning.lab.supervisor import LabSupervisor


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m provisioning.lab", description=__doc__)
    parser.add_argument("--config", type=Path, default=os.environ.get("LAB_CONFIG"), help="JSON; or LAB_CONFIG")
    parser.add_argument("--check", action="store_true", help="only say what is missing")
    chosen = parser.parse_args()
    logging.basicConfig(level=os.environ.get("LAB_LOG", "INFO"), format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if chosen.check:
        lacking = requirements.missing_requirements()
        for each in lacking:
            sys.stderr.write(f"missing: {each}\n")
        sys.stdout.write(
            "packets cannot flow here; exchanges would be simulated\n" if lacking else "ready for packets\n"
        )
        return 1 if lacking else 0
    if not chosen.config:
        parser.error("--config FILE (or LAB_CONFIG) is needed")
    try:
        LabSupervisor(config.load_config(Path(chosen.config))).run()
    except (NamespacesUnavailable, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
