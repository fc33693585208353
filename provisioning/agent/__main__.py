"""``python -m provisioning.agent --config FILE``: the agent of one exchange node, on a router of its own.

The file holds one JSON object:

    {"portal": "https://causeway.example", "location": "aws-eu-central-1", "index": 1,
     "enrollment_key": "what `manage.py enrollment_key LOCATION INDEX` prints", "data": "/var/lib/causeway-agent"}

It needs root (or CAP_NET_ADMIN and CAP_SYS_ADMIN) and the ``nft`` program; ``--simulate`` touches no kernel.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from pathlib import Path

from provisioning.agent.agent import Agent
from provisioning.agent.netlink import Netlink
from provisioning.agent.portal_client import PortalClient
from provisioning.agent.state import AgentState

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m provisioning.agent", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--simulate", action="store_true", help="report what would be done, and do nothing")
    chosen = parser.parse_args()
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        given = json.loads(chosen.config.read_text())
        agent = Agent(
            location=given["location"],
            index=int(given["index"]),
            portal=PortalClient(given["portal"], given.get("token", "")),
            state=AgentState(Path(given["data"]), BOOT_ID.read_text().strip()),
            netlink=Netlink(),
            public_key=given.get("public_key", ""),
            enrollment_key=given.get("enrollment_key", ""),
            simulate=chosen.simulate,
        )
    except (OSError, KeyError, ValueError) as error:
        sys.stderr.write(f"{chosen.config}: the agent's configuration is not right: {error!r}\n")
        return 2
    signal.signal(signal.SIGTERM, lambda number, frame: agent.stop())
    signal.signal(signal.SIGINT, lambda number, frame: agent.stop())
    # What it made keeps forwarding after it ends; the next start converges from there.
    agent.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
