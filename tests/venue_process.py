"""A real demovenue process for tests: started on a free loopback port, spoken to over the wire, and put away again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT = 120.0  # seconds; a cold start on a starved machine


@dataclass(frozen=True)
class DemoKey:
    public: str
    private: str = field(repr=False)


@dataclass(frozen=True)
class DemoAccount:
    """A signed-up account; `key` has full general access and, if asked for, withdrawal access."""

    email: str
    password: str = field(repr=False)
    uid: str
    key: DemoKey

    @property
    def basic(self) -> tuple[str, str]:
        return self.email, self.password


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class DemoVenue:
    """The process and its addresses. `call` signs a request as Kraken wants it; `control` speaks to /demo."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path, trusted: Path | None = None) -> None:
        """`trusted`: the certificate to believe, for a venue that speaks TLS."""
        self.process = process
        self.port = port
        self.log = log
        secure = "" if trusted is None else "s"
        self.url = f"http{secure}://127.0.0.1:{port}"
        self.ws_url = f"ws{secure}://127.0.0.1:{port}/ws/v1"
        self.session = requests.Session()
        if trusted is not None:
            self.session.verify = str(trusted)
            self.session.trust_env = False  # REQUESTS_CA_BUNDLE would come first

    # --- the process ---------------------------------------------------------------------------------

    def stop(self, timeout: float = 10.0) -> int:
        """Ask it to end, as Ctrl-C does; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self._wait(timeout)

    def kill(self) -> int:
        """End it at once, as a crash does."""
        if self.process.poll() is None:
            self.process.kill()
        return self._wait(10.0)

    def _wait(self, timeout: float) -> int:
        self.session.close()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(5)

    # --- control -------------------------------------------------------------------------------------

    def control(self, method: str, path: str, body: Any = None, account: DemoAccount | None = None) -> Any:
        """A /demo call; raises for anything but 200."""
        answer = self.session.request(
            method, self.url + path, json=body, auth=None if account is None else account.basic, timeout=30
        )
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def signup(self, *, general: str = "full", withdrawal: str = "none") -> DemoAccount:
        made = self.control("POST", "/demo/signup", {"accept_terms": True})
        bare = DemoAccount(made["email"], made["password"], made["account_uid"], DemoKey("", ""))
        key = self.new_key(bare, general=general, withdrawal=withdrawal)
        return DemoAccount(bare.email, bare.password, bare.uid, key)

    def new_key(self, account: DemoAccount, *, general: str = "full", withdrawal: str = "none") -> DemoKey:
        wish = {"general": general, "withdrawal": withdrawal}
        made = self.control("POST", "/demo/keys", wish, account)
        return DemoKey(made["public_key"], made["private_key"])

    def fault(self, name: str, **options: Any) -> list[dict[str, Any]]:
        """Arm a fault; returns what is armed now."""
        return list(self.control("POST", "/demo/faults", {"fault": name, **options})["faults"])

    def faults(self) -> list[dict[str, Any]]:
        return list(self.control("GET", "/demo/faults")["faults"])

    def clear_faults(self) -> None:
        self.control("DELETE", "/demo/faults")

    def ledger(self, account: DemoAccount) -> dict[str, Any]:
        return dict(self.control("GET", "/demo/ledger", None, account))

    def mark(self, symbol: str, **move: Any) -> Any:
        return self.control("POST", "/demo/mark", {"symbol": symbol, **move})

    # --- the protocol --------------------------------------------------------------------------------

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.session.get(self.url + path, params=query, timeout=30)

    def call(
        self,
        key: DemoKey,
        method: str,
        path: str,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] = (),
        *,
        nonce: str = "",
        in_body: bool | None = None,
        session: requests.Session | None = None,
        timeout: float = 30,
    ) -> requests.Response:
        """A signed call. Changes carry their parameters in the body, reads in the query, unless told otherwise."""
        encoded = urlencode(params)
        in_body = method == "POST" if in_body is None else in_body
        query, body = ("", encoded) if in_body else (encoded, "")
        headers = {"APIKey": key.public, "Authent": authent(key.private, query + body, nonce, path)}
        headers |= {"Nonce": nonce} if nonce else {}
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        address = f"{self.url}{path}?{query}" if query else self.url + path
        return (session or self.session).request(method, address, data=body, headers=headers, timeout=timeout)

    def v3(self, key: DemoKey, method: str, name: str, **params: Any) -> Any:
        """A signed call of the trading API; returns its JSON."""
        return self.call(key, method, f"/derivatives/api/v3/{name}", params).json()

    def order(self, key: DemoKey, **params: Any) -> dict[str, Any]:
        """sendorder; returns the sendStatus."""
        answer = self.v3(key, "POST", "sendorder", **params)
        assert answer["result"] == "success", answer
        return dict(answer["sendStatus"])

    def ticker(self, symbol: str) -> dict[str, Any]:
        return dict(self.get(f"/derivatives/api/v3/tickers/{symbol}").json()["ticker"])


def authent(secret: str, post_data: str, nonce: str, path: str) -> str:
    """Kraken's signature, written again here: a test must not borrow the code it tests."""
    digest = hashlib.sha256((post_data + nonce + path.removeprefix("/derivatives")).encode()).digest()
    key = base64.b64decode(secret)
    return base64.b64encode(hmac.new(key, digest, hashlib.sha512).digest()).decode()


def sign_challenge(secret: str, challenge: str) -> str:
    digest = hashlib.sha256(challenge.encode()).digest()
    return base64.b64encode(hmac.new(base64.b64decode(secret), digest, hashlib.sha512).digest()).decode()


def start_demovenue(
    data_dir: Path,
    *,
    port: int = 0,
    seed: int = 1,
    start: str | None = None,
    speed: str | None = None,
    options: Sequence[str] = (),
    certificate: tuple[Path, Path] | None = None,
) -> DemoVenue:
    """Start one and wait until it answers. Its log is `demovenue.log` in the data directory.

    `certificate`: for TLS, the file with certificate and key, and the one with the certificate alone.
    """
    port = port or free_port()
    data_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "demovenue", "--port", str(port), "--data", str(data_dir), "--seed", str(seed)]
    command += ["--start", start] if start else []
    command += ["--speed", speed] if speed else []
    command += ["--tls", str(certificate[0])] if certificate else []
    log = data_dir / "demovenue.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*command, *options], cwd=ROOT, stdout=out, stderr=out, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
    venue = DemoVenue(process, port, log, certificate[1] if certificate else None)
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"demovenue ended at its start:\n{log.read_text()[-4000:]}")
        try:
            if venue.session.get(venue.url + "/derivatives/api/v3/instruments/status", timeout=5).ok:
                return venue
        except requests.ConnectionError:
            time.sleep(0.02)
    venue.kill()
    raise RuntimeError(f"demovenue did not answer within {START_TIMEOUT} s:\n{log.read_text()[-4000:]}")
