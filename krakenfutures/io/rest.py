"""Moves requests and answers: one pooled session, time limits, signatures. What they mean is decided elsewhere.

Reads are tried again, writes never: a write without an answer may have happened.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlencode

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from krakenfutures.costs import FREE, Cost
from krakenfutures.errors import KrakenError, Refused, Throttled, Unreachable, Unreadable
from krakenfutures.numbers import read_json
from krakenfutures.parse.refusals import error_in
from krakenfutures.sentences import sentence
from krakenfutures.signing import BadSecret, authent
from krakenfutures.venue import Credentials, Gate

Parameters = Sequence[tuple[str, str]]

CONNECT_SECONDS = 3.05  # a little over TCP's first retransmission
READ_SECONDS = 10.0
ATTEMPTS = 4
FIRST_PAUSE = 0.25  # seconds; doubles with every attempt
HEADERS = requests.utils.default_headers()


class NotSent(Unreachable):
    """No connection came about, so nothing left this machine: it certainly has not happened."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key and its broker. Made for one session; the secret is in nobody else's hands."""

    credentials: Credentials
    gate: Gate


def pooled_session(base_url: str, *, connections: int = 32) -> requests.Session:
    """A session for many threads: no cookies to share, and the proxy settings read once instead of per call."""
    session = requests.Session()
    session.proxies = requests.utils.get_environ_proxies(base_url)
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    session.trust_env = False  # a .netrc must not add credentials of its own
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class Rest:
    """Raises the error tree, and only that. Safe to use from several threads."""

    def __init__(
        self,
        base_url: str,
        http: requests.Session | None = None,
        *,
        timeout: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._http = http or pooled_session(self._base)
        self._timeout = timeout
        self._pause = pause

    def close(self) -> None:
        self._http.close()

    def read(self, path: str, parameters: Parameters = (), *, signer: Signer | None = None, cost: Cost = FREE) -> Any:
        """A GET, tried again with growing, jittered pauses while there is no answer."""
        return self._patiently(lambda: self._call("GET", path, parameters, signer, cost))

    def read_text(self, path: str, *, signer: Signer, cost: Cost) -> str:
        """The same for an answer that is a file, not JSON."""
        return str(self._patiently(lambda: self._call("GET", path, (), signer, cost, read=_text)))

    def ask(self, path: str, parameters: Parameters, *, signer: Signer, cost: Cost) -> Any:
        """A POST that changes nothing, and so may be tried again like a read."""
        return self._patiently(lambda: self._call("POST", path, parameters, signer, cost))

    def write(self, path: str, parameters: Parameters, *, signer: Signer, cost: Cost, method: str = "POST") -> Any:
        """A POST or PUT that changes something: sent once. `NotSent` says that it was not even that."""
        return self._call(method, path, parameters, signer, cost)

    def _patiently(self, call: Callable[[], Any]) -> Any:
        for attempt in range(1, ATTEMPTS):
            try:
                return call()
            except Unreachable:
                self._pause(FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
        return call()

    def _call(
        self,
        method: str,
        path: str,
        parameters: Parameters,
        signer: Signer | None,
        cost: Cost,
        read: Callable[[requests.Response], Any] | None = None,
    ) -> Any:
        encoded = urlencode(parameters)
        headers = {} if signer is None else _signed(signer, path, encoded, cost)
        try:
            return (read or _content)(self._send(method, path, encoded, headers))
        except Throttled:
            if signer is not None:
                signer.gate.penalise(history=cost.history)
            raise

    def _send(self, method: str, path: str, encoded: str, headers: dict[str, str]) -> requests.Response:
        """The parameters travel encoded exactly as they were signed: in the query of a GET, in the body of others."""
        url = self._base + path
        if method == "GET":
            request = _prepared(method, f"{url}?{encoded}" if encoded else url, headers, None)
        else:
            request = _prepared(method, url, {**headers, "Content-Type": "application/x-www-form-urlencoded"}, encoded)
        http = self._http
        verify = True if http.verify is None else http.verify
        try:
            answer = http.get_adapter(url).send(request, timeout=self._timeout, proxies=http.proxies, verify=verify)
            answer.content  # noqa: B018 - read here, where a connection that breaks meanwhile is told as such
            return answer
        except requests.RequestException as problem:
            raise _unreachable(problem) from None  # the request inside it holds the signature


def _prepared(method: str, url: str, headers: dict[str, str], body: str | None) -> requests.PreparedRequest:
    """What `Session.request` would make of it, without a search for cookies, credentials and files."""
    request = requests.PreparedRequest()
    request.method, request.url, request.body = method, url, body
    request.headers = CaseInsensitiveDict({**HEADERS, **headers})
    if body is not None:
        request.headers["Content-Length"] = str(len(body))
    request.prepare_cookies({})  # none; but an answer that points elsewhere is not read without
    return request


def _signed(signer: Signer, path: str, encoded: str, cost: Cost) -> dict[str, str]:
    """Spends the budget first: a nonce must be used in the order it was given out."""
    number = signer.gate.enter(cost.points, urgent=cost.urgent, history=cost.history)
    nonce = "" if number is None else str(number)
    try:
        signature = authent(signer.credentials.secret, url_path=path, post_data=encoded, nonce=nonce)
    except BadSecret:
        raise Refused("invalidSecret", sentence("invalidSecret"), field="secret") from None
    headers = {"APIKey": signer.credentials.key, "Authent": signature}
    return {**headers, "Nonce": nonce} if nonce else headers


def _content(answer: requests.Response) -> Any:
    try:
        content = read_json(answer.content)
    except Unreadable:
        content = None
    error = error_in(answer.status_code, answer.headers, content)
    if error is not None:
        raise error
    return content


def _text(answer: requests.Response) -> str:
    if answer.status_code != 200:
        _content(answer)  # says what is wrong
    return answer.content.decode("utf-8", errors="replace")


def _unreachable(problem: requests.RequestException) -> KrakenError:
    """Which of the ways of getting no answer it was; only a failed connection proves that nothing was sent."""
    if isinstance(problem, requests.ConnectTimeout) or _never_connected(problem):
        return NotSent(sentence("notSent"))
    if isinstance(problem, requests.Timeout):
        return Unreachable("Kraken did not answer in time.")
    if isinstance(problem, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return Unreachable("The connection to Kraken broke before the answer came.")
    return Unreachable(f"There was no answer from Kraken ({type(problem).__name__}).")


def _never_connected(problem: requests.RequestException) -> bool:
    cause = problem.args[0] if problem.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.NameResolutionError)
