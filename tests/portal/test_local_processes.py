"""The supervisor, keys and environment file of a local installation."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal.local import env_file
from portal.local.redis import RedisServer
from portal.local.restarts import ProcessRestarter, TooManyFailures
from portal.local.secret_file import SecretFile
from portal.local.supervisor import ProcessSpec, ProcessStartError, ProcessSupervisor


def test_redis_requires_its_password(tmp_path: Path) -> None:
    import redis

    server = RedisServer("right")
    with ProcessSupervisor(tmp_path) as supervisor:
        supervisor.start(server.process())
        assert redis.Redis.from_url(server.url).ping()
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url(server.url.replace(":right@", ":wrong@")).ping()


def test_a_process_that_ends_while_starting_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    broken = ProcessSpec(
        "broken", [sys.executable, "-c", "print('no such device'); raise SystemExit(3)"], lambda: False
    )
    with (
        ProcessSupervisor(tmp_path) as supervisor,
        pytest.raises(ProcessStartError, match=r"exit code 3(.|\n)*no such device"),
    ):
        supervisor.start(broken)


def test_a_process_that_ignores_sigterm_is_killed_at_its_deadline(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    log = tmp_path / "deaf.log"
    with ProcessSupervisor(tmp_path) as supervisor:
        running = supervisor.start(
            ProcessSpec("deaf", [sys.executable, "-c", deaf], lambda: "up" in log.read_text(), stop_within=0.3)
        )
        began = time.monotonic()
        supervisor.stop()
        assert time.monotonic() - began < 3
        assert running.popen.returncode == -signal.SIGKILL


def test_no_process_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    script = f"""
import sys, time
from pathlib import Path
from portal.local.supervisor import ProcessSpec, ProcessSupervisor
child = '''
import subprocess, time
print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
time.sleep(60)
'''
log = Path({str(tmp_path)!r}) / "parent.log"
supervisor = ProcessSupervisor(log.parent)
running = supervisor.start(ProcessSpec("parent", [sys.executable, "-c", child], lambda: log.read_text().strip() != ""))
print(running.popen.pid, log.read_text().strip(), flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pids = [int(word) for word in supervisor.stdout.readline().split()]
        supervisor.kill()
    until = time.monotonic() + 8
    while time.monotonic() < until and any(_alive(pid) for pid in pids):
        time.sleep(0.05)
    assert len(pids) == 2
    assert not any(_alive(pid) for pid in pids)


def _alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_keys_are_created_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    first = SecretFile(file).get("database")
    assert SecretFile(file).get("database") == first
    assert SecretFile(file).get("other") != first
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_env_file_is_read_back_by_us_and_by_the_shell(tmp_path: Path) -> None:
    values = {"SECRET_KEY": 'a\'b "c" $d', "EMPTY": "", "URL": "postgres://u:p@%2Ftmp/x?y=1&z=2"}
    env_file.write_env(tmp_path, values)
    assert env_file.read_env(tmp_path) == values
    printed = subprocess.run(["sh", "-c", f'. {tmp_path}/env; printf %s "$SECRET_KEY"'], capture_output=True, text=True)
    assert printed.stdout == values["SECRET_KEY"]


def test_a_process_that_is_killed_is_started_again_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    with ProcessSupervisor(tmp_path) as supervisor:
        restarter = ProcessRestarter(supervisor, told.append)
        first, _ = (supervisor.start(ProcessSpec(name, [sys.executable, "-c", SERVING])) for name in ("one", "two"))
        first.popen.kill()
        first.popen.wait()
        restarter.restart_ended()
        assert [running.process.name for running in supervisor.running] == ["one", "two"]
        assert supervisor.find("one").popen.poll() is None and supervisor.find("one").popen.pid != first.popen.pid
    assert told[0].startswith("one ended with signal SIGKILL. Its log:")
    assert told[0].endswith("Starting one again in 1 s.") and told[1:] == ["one is up again."]


def test_five_failures_within_a_minute_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    pauses: list[float] = []
    monkeypatch.setattr(ProcessSupervisor, "sleep", lambda supervisor, seconds: pauses.append(seconds))
    with ProcessSupervisor(tmp_path) as supervisor:
        supervisor.launch(ProcessSpec("broken", [sys.executable, "-c", "raise SystemExit('no such device')"], _never))
        supervisor.find("broken").popen.wait()
        with pytest.raises(TooManyFailures, match=r"no such device(.|\n)*broken failed 5 times within 60 s"):
            ProcessRestarter(supervisor, told.append).restart_ended()
    assert pauses == [1, 2, 4, 8] and len(told) == 4


def test_a_command_that_ends_is_not_started_again(tmp_path: Path) -> None:
    with ProcessSupervisor(tmp_path) as supervisor:
        once = supervisor.launch(ProcessSpec("once", [sys.executable, "-c", ""], keep_running=False))
        once.popen.wait()
        ProcessRestarter(supervisor, pytest.fail).restart_ended()


def test_a_slow_start_is_told_and_waited_for_where_the_supervisor_is_patient(tmp_path: Path) -> None:
    told: list[str] = []
    slow = ProcessSpec("slow", [sys.executable, "-c", SERVING], lambda: len(told) == 2, start_within=0.2)
    with ProcessSupervisor(tmp_path, on_late=told.append) as supervisor:
        supervisor.start(slow)
    assert [message.split(" s.")[0] for message in told] == ["slow is not ready after 0", "slow is not ready after 0"]
    with ProcessSupervisor(tmp_path) as supervisor, pytest.raises(ProcessStartError, match="is not ready after"):
        supervisor.start(ProcessSpec("slow", [sys.executable, "-c", SERVING], _never, start_within=0.2))


SERVING = "import time; time.sleep(60)"


def _never() -> bool:
    return False
