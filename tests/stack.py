"""The real thing, for tests: `manage.py up` in a folder of its own, on free ports."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import requests

ROOT = Path(__file__).resolve().parents[1]
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "CI")
OWNER, PASSWORD = "owner@example.test", "correct horse battery staple"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_servers(folder: Path) -> dict[str, str]:
    """Where the suite was given a PostgreSQL and a Redis: a database of this folder's own in each, made if need be."""
    found = {}
    number = zlib.crc32(str(folder).encode())
    if url := os.environ.get("DATABASE_URL"):
        name = f"stack_{number}"
        with psycopg.connect(url, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(f"CREATE DATABASE {name}")
        found["DATABASE_URL"] = urlsplit(url)._replace(path=f"/{name}").geturl()
    if url := os.environ.get("KFWEB_TEST_REDIS_URL"):
        found["REDIS_URL"] = f"{url.rstrip('/')}/{4 + number % 12}"
    return found


class Stack:
    """A whole desk with its demo exchange. `url` is the desk, `demo_url` the exchange."""

    def __init__(self, folder: Path | None = None, **environment: str) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="kfweb-stack-"))
        self.port, self.demo_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.demo_url = f"http://127.0.0.1:{self.demo_port}"
        self.environment = {
            **{name: os.environ[name] for name in INHERITED if name in os.environ},
            "KFWEB_DATA_DIR": str(self.folder),
            "KFWEB_PORT": str(self.port),
            "KFWEB_DEMO_PORT": str(self.demo_port),
            "KFWEB_OWNER_EMAIL": OWNER,
            "KFWEB_OWNER_PASSWORD": PASSWORD,
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self.environment |= own_servers(self.folder)
        self.process: subprocess.Popen[str] | None = None
        self.output = ""

    def start(self, seconds: float = 180) -> Stack:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        end = time.monotonic() + seconds
        assert self.process.stdout
        os.set_blocking(self.process.stdout.fileno(), False)
        while "Ctrl-C stops everything" not in self.output:
            self.read()
            if self.process.poll() is not None:
                self.read()
                raise StackFailed(self.output + self.logs())
            if time.monotonic() > end:
                self.stop()
                raise StackFailed(f"not ready in {seconds} s\n{self.output}{self.logs()}")
            time.sleep(0.05)
        return self

    def read(self) -> None:
        assert self.process
        assert self.process.stdout
        while line := self.process.stdout.readline():
            self.output += line

    def pids(self) -> list[int]:
        """Every process below ours."""
        assert self.process
        found, seen = [self.process.pid], []
        while found:
            pid = found.pop()
            children = Path(f"/proc/{pid}/task/{pid}/children")
            below = [int(child) for child in children.read_text().split()] if children.exists() else []
            seen += below
            found += below
        return seen

    def pid_of(self, words: str) -> int:
        for pid in self.pids():
            if words in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "):
                return pid
        raise LookupError(f"no process with {words!r} in its command line")

    def stop(self, number: int = signal.SIGINT, seconds: float = 20) -> int:
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.read()
        return code

    def logs(self) -> str:
        return "".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-2000:]}\n"
            for path in sorted((self.folder / "logs").glob("*.log"))
        )

    def health(self) -> dict[str, object]:
        answer: dict[str, object] = requests.get(f"{self.url}/readyz", timeout=5).json()
        return answer

    def signed_in(self, email: str = OWNER, password: str = PASSWORD) -> requests.Session:
        """Somebody, the owner if nobody else, in a session of `requests`; `post` below adds the form token."""
        session = requests.Session()
        page = session.get(f"{self.url}/account/login/", timeout=10).text
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found, page[:500]
        answer = session.post(
            f"{self.url}/account/login/",
            data={"login": email, "password": password, "csrfmiddlewaretoken": found[1]},
            headers={"Referer": self.url},
            timeout=10,
        )
        assert answer.ok
        assert "/account/login" not in answer.url, answer.text[:2000]
        return session

    def post(self, session: requests.Session, path: str, **fields: str) -> requests.Response:
        return session.post(
            f"{self.url}{path}",
            data=fields,
            headers={"Referer": self.url, "X-CSRFToken": session.cookies["kfweb_csrf"]},
            timeout=30,
        )


class StackFailed(Exception):
    """It did not come up; the text holds what it and its children said."""
