"""The demo exchange's own calls that Kraken has not: get an account, get a key; and its clock, which can be moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import requests

from krakenfutures.errors import Refused, Throttled, Unreachable, Unreadable
from krakenfutures.numbers import to_time
from krakenfutures.values import Permission
from krakenfutures.venue import Credentials

T = TypeVar("T")
TIMEOUT = (3.05, 10)  # seconds, to connect and to answer


@dataclass(frozen=True, slots=True)
class DemoAccount:
    email: str
    account_uid: str
    password: str = field(repr=False)


class _SignedUp(msgspec.Struct):
    email: str
    password: str
    account_uid: str


class _Pair(msgspec.Struct):
    public_key: str
    private_key: str


class _Clock(msgspec.Struct):
    now: str


def sign_up(base_url: str) -> DemoAccount:
    """A new account, funded with play money. Sent once; raises the error tree."""
    answer = _post(f"{base_url}/demo/signup", {"accept_terms": True}, None)
    made = _read(answer, _SignedUp)
    return DemoAccount(email=made.email, account_uid=made.account_uid, password=made.password)


def create_key(
    base_url: str,
    account: DemoAccount,
    *,
    general: Permission = Permission.FULL,
    withdrawal: Permission = Permission.NONE,
) -> Credentials:
    """A new key of that account. Sent once; raises the error tree."""
    wanted = {"general": general.value, "withdrawal": withdrawal.value}
    pair = _read(_post(f"{base_url}/demo/keys", wanted, (account.email, account.password)), _Pair)
    return Credentials(key=pair.public_key, secret=pair.private_key)


def break_next_write(base_url: str, fault: str, public_key: str) -> None:
    """Arm a fault of the demo exchange for the key's next call that changes something. Raises the error tree."""
    _post(f"{base_url}/demo/faults", {"fault": fault, "count": 1, "key": public_key}, None)


def time_of(base_url: str) -> datetime:
    """The exchange's clock. Raises the error tree."""
    try:
        answer = requests.get(f"{base_url}/demo/clock", timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as problem:
        raise Unreachable(f"The demo exchange did not answer ({type(problem).__name__}).") from None
    return to_time(_read(answer, _Clock).now)


def advance(base_url: str, seconds: int) -> None:
    """Let the exchange live through so much time at once: prices, funding, maturities. Raises the error tree."""
    _post(f"{base_url}/demo/clock", {"advance": seconds}, None)


def _post(url: str, body: dict[str, Any], login: tuple[str, str] | None) -> requests.Response:
    try:
        answer = requests.post(url, json=body, auth=login, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as problem:
        raise Unreachable(f"The demo exchange did not answer ({type(problem).__name__}).") from None
    if answer.status_code == 429:
        raise Throttled("The demo exchange asks for patience.")
    if answer.status_code >= 500:
        raise Unreachable(f"The demo exchange failed ({answer.status_code}).")
    if answer.status_code >= 400:
        raise Refused(str(answer.status_code), "The demo exchange did not accept the request.")
    return answer


def _read(answer: requests.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError:
        raise Unreadable("The demo exchange answered something this desk does not know.") from None
