"""The wire, replaced: recorded words, a requests adapter that answers with them, a broker that counts."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import requests
from requests.adapters import BaseAdapter

from krakenfutures.errors import Throttled
from krakenfutures.io.derivatives import DerivativesVenue
from krakenfutures.numbers import read_json
from krakenfutures.venue import Credentials

FIXTURES = Path(__file__).parent.parent / "fixtures" / "kraken"
SAMPLES = FIXTURES / "samples"
REST_URL = "http://venue.test"
SECRET = "kA9MkDLSEz96K9pfazQ83nmcyNKY34eD/wMpzN7NJe6vtgEVRAQM1bqzgZ73cqmG8w0hsFEYQECCufLv0F3+Hg=="
CREDENTIALS = Credentials(key="simTestKey0000000000000000000000000000000000000000000000", secret=SECRET)

Answer = str | bytes | Exception | requests.Response | Callable[[requests.PreparedRequest], Any]


def text_of(name: str) -> str:
    return (SAMPLES / f"{name}.json").read_text()


def sample(name: str) -> Any:
    return read_json(text_of(name))


def as_json(raw: Any) -> str:
    return msgspec.json.Encoder(decimal_format="number").encode(raw).decode()


def answered(body: str | bytes, status: int = 200, **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.raw = BytesIO(body.encode() if isinstance(body, str) else body)
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


class Replay(BaseAdapter):
    """Answers one after the other, the last one for ever, and remembers what was asked."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self.answers = list(answers)
        self.requests: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *args: object, **kwargs: object) -> requests.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        response = answer if isinstance(answer, requests.Response) else answered(answer)  # type: ignore[arg-type]
        response.request, response.url = request, request.url or ""
        return response

    def close(self) -> None: ...


class CountingGate:
    """A broker with a budget, in one process."""

    def __init__(self, *, budget: int = 10_000, nonces: bool = True) -> None:
        self.spent: list[tuple[int, bool]] = []
        self.history: list[tuple[int, bool]] = []  # spent of the history pool
        self.penalties = 0
        self._left = budget
        self._nonces = nonces

    def enter(self, cost: int, *, urgent: bool = False, history: bool = False) -> int | None:
        if cost > self._left:
            raise Throttled("the budget is short", retry_after=2.5)
        self._left -= cost
        (self.history if history else self.spent).append((cost, urgent))
        return 1795348800000 + len(self.spent) + len(self.history) if self._nonces else None

    def penalise(self, *, history: bool = False) -> None:
        self.penalties += 1


def venue_answering(*answers: Answer) -> tuple[DerivativesVenue, Replay]:
    replay = Replay(*answers)
    http = requests.Session()
    http.mount(REST_URL, replay)
    return DerivativesVenue(REST_URL, "ws://venue.test", http), replay
