#!/usr/bin/env python
"""Django's commands; beside a running demo they work on it without any settings typed (``DATA=``, default .demo)."""

import os
import sys
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if "DATABASE_URL" not in os.environ:
        from portal.local import env_file

        env_file.load_env(Path(os.environ.get("DATA") or Path(__file__).resolve().parent / ".demo"))
    from django.core.management import execute_from_command_line

    from provisioning.process_start import tune_garbage_collection

    tune_garbage_collection()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
