"""Open a TCP flow inside a workload and report its times (wall clock, seconds).

``python -m tests.bench.workload_flow STATE TENANT CONNECTOR ADDRESS PORT first|keep`` waits for the workload.
``first`` prints the time of the first successful connection. ``keep`` sends an echo every 10 ms on one connection;
it prints ``open T`` once, then ``gap SECONDS`` (the longest pause) at the end of input, or ``cut T`` when the
connection breaks or no echo returns for 1 s.
"""

from __future__ import annotations

import sys
import time

from provisioning.lab.control import Lab, LabError

FIRST = """
import socket, sys, time
while True:
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=0.25):
            print(time.time(), flush=True)
            break
    except OSError:
        time.sleep(0.01)
"""

KEEP = """
import select, socket, sys, time
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5) as flow:
    flow.settimeout(1)
    flow.sendall(b"hello\\n")
    flow.recv(1000)
    print("open", time.time(), flush=True)
    worst, last = 0.0, time.time()
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        try:
            flow.sendall(b"tick\\n")
            if not flow.recv(1000):
                raise OSError("closed")
        except OSError:
            print("cut", last, flush=True)
            break
        worst, last = max(worst, time.time() - last), time.time()
    else:
        print("gap", worst, flush=True)
"""


def main(state: str, tenant: str, connector: str, address: str, port: str, what: str) -> int:
    deadline = time.monotonic() + 60
    while True:
        try:
            lab = Lab(state)
            if (tenant, connector) in lab.workloads():
                break
        except LabError:
            pass
        if time.monotonic() > deadline:
            print(f"no workload {connector} appeared", file=sys.stderr)
            return 1
        time.sleep(0.02)
    return lab.exec_in(tenant, connector, [sys.executable, "-c", {"first": FIRST, "keep": KEEP}[what], address, port])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
