"""People at work while things go wrong: traders who place and cancel, and one who watches the page's numbers."""

from __future__ import annotations

import html
import json
import random
import re
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import requests
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.composed import Composed

LATE = 9.0  # seconds: the page may take 5 to find out, and a starved machine some more


def signed_in(desk: Composed, email: str, password: str) -> requests.Session:
    session = requests.Session()
    page = session.get(f"{desk.url}/account/login/", timeout=20).text
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, page[:500]
    answer = session.post(
        f"{desk.url}/account/login/",
        data={"login": email, "password": password, "csrfmiddlewaretoken": found[1]},
        headers={"Referer": desk.url},
        timeout=20,
    )
    assert "/account/login" not in answer.url, answer.text[:1500]
    return session


@dataclass
class Trader:
    """Sends each intent until somebody answers, as a person does who sees "no connection" and presses again."""

    desk: Composed
    session: requests.Session
    account: int
    mark: float
    seed: int
    intents: list[str] = field(default_factory=list)
    answered: int = 0
    pressed_again: int = 0

    def work(self, stop: threading.Event) -> None:
        dice = random.Random(self.seed)
        while not stop.is_set():
            self._place(dice, stop)
            if dice.random() < 0.2:
                self._press(f"/orders/{dice.choice(self.intents)}/cancel/", {}, stop, 1)
            stop.wait(dice.uniform(0.2, 0.8))

    def _place(self, dice: random.Random, stop: threading.Event) -> None:
        intent = str(uuid.uuid4())
        self.intents.append(intent)
        resting = {"type": "limit", "limit_price": str(round(self.mark * dice.uniform(0.9, 0.97)))}
        taking = {"type": "market"}
        words = {
            "intent": intent, "of": str(self.account), "symbol": "PF_XBTUSD",
            "side": dice.choice(["buy", "sell"]), "size": "0.001", **dice.choice([resting, resting, taking]),
        }  # fmt: skip
        if words["type"] == "limit":
            words["side"] = "buy"
        self._press("/orders/", words, stop, 40)

    def _press(self, path: str, words: dict[str, str], stop: threading.Event, times: int) -> None:
        for _ in range(times):
            with suppress(requests.RequestException):
                if post(self.session, self.desk.url, path, words).status_code in {200, 204, 302, 422, 429}:
                    self.answered += 1
                    return
            self.pressed_again += 1
            if stop.wait(0.5):
                return


@dataclass
class Cashiers:
    """One asks for small sums, each of its own amount, and another approves them."""

    desk: Composed
    asking: requests.Session
    reviewing: requests.Session
    account: int
    asked: dict[str, str] = field(default_factory=dict)  # amount by request

    def work(self, stop: threading.Event) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with suppress(requests.RequestException, AwayPage):
                self._one(f"{1 + number / 100:.2f}")
            stop.wait(4)

    def _one(self, amount: str) -> None:
        form = page(self.asking, f"{self.desk.url}/withdrawals/request/?account={self.account}")
        intent = one_of(form, r'name="intent" value="([^"]+)"')
        self.asked[intent] = amount
        words = {
            "intent": intent, "amount": amount, "reason": "while things fail", "do": "ask",
            "source": one_of(form, r'<option value="([^"|]+\|USD)"'),
            "destination": one_of(form, r'<option value="(spot\|[^"]*)"'),
        }  # fmt: skip
        post(self.asking, self.desk.url, f"/withdrawals/request/?account={self.account}", words)
        found = page(self.reviewing, f"{self.desk.url}/withdrawals/{intent}/approve/")
        digest = one_of(found, r'name="digest" value="([^"]+)"')
        post(self.reviewing, self.desk.url, f"/withdrawals/{intent}/approve/", {"digest": digest, "note": ""})


class AwayPage(Exception):
    """Not the page one asked for: something is away just now."""


def page(session: requests.Session, address: str) -> str:
    answer = session.get(address, timeout=20)
    if answer.status_code != 200:
        raise AwayPage(f"{address}: {answer.status_code}")
    return answer.text


def post(session: requests.Session, url: str, path: str, words: dict[str, str]) -> requests.Response:
    headers = {"Referer": url, "X-CSRFToken": session.cookies["kfweb_csrf"], "HX-Request": "true"}
    return session.post(url + path, data=words, headers=headers, timeout=20)


def one_of(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise AwayPage(f"no {pattern} on the page")
    return html.unescape(found[1])


@dataclass
class Watcher:
    """A page's socket: notes every moment at which it would have shown old numbers as if they were fresh."""

    desk: Composed
    session: requests.Session
    symbol: str = "PF_XBTUSD"
    lies: list[str] = field(default_factory=list)
    connections: int = 0
    frames: int = 0

    def watch(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._one_connection(stop)
            except (OSError, WebSocketException, TimeoutError):
                stop.wait(0.5)  # the page says "no connection" and tries again

    def _one_connection(self, stop: threading.Event) -> None:
        cookie = "; ".join(f"{name}={value}" for name, value in self.session.cookies.items())
        address = self.desk.url.replace("http", "ws", 1) + "/ws/live"
        with connect(
            address, additional_headers={"Cookie": cookie}, origin=self.desk.url, open_timeout=10  # type: ignore[arg-type]
        ) as socket:  # fmt: skip
            self.connections += 1
            streams = ["link:demo", f"ticker:demo:{self.symbol}"]
            socket.send(json.dumps({"do": "watch", "streams": streams}))
            link, ticked = "down", time.time()
            heard = time.time()
            while not stop.is_set():
                try:
                    text = socket.recv(timeout=0.5)
                except TimeoutError:
                    if time.time() - heard > 3:
                        return  # silent for three seconds: the page marks everything stale and connects anew
                    continue
                heard = time.time()
                self.frames += 1
                first, *messages = json.loads(text)
                for message in messages:
                    link, ticked = self._read(message, link, ticked)
                socket.send(json.dumps({"do": "ack", "f": first["f"]}))
                if link == "live" and heard - ticked > LATE:
                    self.lies.append(f"{heard:.1f}: live, and the last price is {heard - ticked:.1f} s old")
                    ticked = heard  # said once

    def _read(self, message: dict[str, Any], link: str, ticked: float) -> tuple[str, float]:
        if message["s"] == "link:demo" and message["k"] != "no":
            return message["d"]["state"], (time.time() if link != "live" else ticked)
        if message["s"].startswith("ticker:") and message["k"] == "upd":
            return link, time.time()
        return link, ticked
