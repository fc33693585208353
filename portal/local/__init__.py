"""An installation on one machine: its processes, its settings, set-up and checks. See README.md."""
