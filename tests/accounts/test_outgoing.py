"""What a person types as an address never reaches this machine or its network, by whatever name it goes."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from accounts import outgoing
from accounts.outgoing import Forbidden, NoAnswer, post, resolve, target_of, why_forbidden

INSIDE = [
    "0.0.0.0",
    "0.1.2.3",
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "169.254.170.2",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "ff05::2",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "5f00::1",
]
OUTSIDE = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_a_strangers_is_refused(address: str) -> None:
    assert why_forbidden(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_the_public_internet_is_called(address: str) -> None:
    assert why_forbidden(ipaddress.ip_address(address)) == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/",
        "https://", "https:///x", "example.com", "https://user@example.com/", "https://a:b@example.com/",
        "https://example.com:22/", "https://example.com:80/", "https://example.com:99999/", "https://exa mple.com/",
        "https://example.com\\@127.0.0.1/", "https://example.com/\r\nX: y", "https://[::1/", "https://ex\u0430mple.com/",
        "https://example.com/" + "x" * 2000,
    ],
)  # fmt: skip
def test_an_address_that_is_no_plain_https_is_refused_before_anybody_is_asked(url: str) -> None:
    with pytest.raises(Forbidden):
        target_of(url)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "[::1]", "[::ffff:7f00:1]",
     "169.254.169.254", "[fe80::1]", "LOCALHOST.", "10.1.2.3"],
)  # fmt: skip
def test_this_machine_is_refused_however_it_is_spelt(host: str) -> None:
    with pytest.raises((Forbidden, NoAnswer)):
        post(f"https://{host}:8443/hook", b"{}", {})


@dataclass
class Names:
    """A resolver of our own: each name answers with the next of its lists, the last for ever."""

    answers: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def getaddrinfo(self, host: str, port: int, *_rest: Any, **_named: Any) -> list[Any]:
        self.asked.append(host)
        lists = self.answers.get(host)
        if not lists:
            raise socket.gaierror("unknown")
        found = lists.pop(0) if len(lists) > 1 else lists[0]
        return [(0, 0, 0, "", (address, port)) for address in found]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    made = Names()
    monkeypatch.setattr(socket, "getaddrinfo", made.getaddrinfo)
    return made


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.5", "169.254.169.254", "100.64.1.1", "fd00::1", "::ffff:a00:1"]
)
def test_a_name_that_leads_inside_is_refused(names: Names, address: str) -> None:
    names.answers["hook.test"] = [[address]]
    with pytest.raises(Forbidden, match="hook"):
        post("https://hook.test/", b"{}", {})


def test_one_address_inside_among_others_is_enough_to_refuse(names: Names) -> None:
    names.answers["hook.test"] = [["93.184.215.14", "127.0.0.1"]]
    with pytest.raises(Forbidden):
        resolve(target_of("https://hook.test/"))


def test_the_connection_goes_to_the_very_address_that_was_judged(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: public when it is judged, this machine a moment later. Nobody asks a second time."""
    names.answers["rebind.test"] = [["93.184.215.14"], ["127.0.0.1"]]
    called: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_rest: Any, **_named: Any) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with pytest.raises(NoAnswer):
        post("https://rebind.test/hook", b"{}", {})
    assert called == [("93.184.215.14", 443)]
    assert names.asked == ["rebind.test"]


def test_a_name_nobody_knows_is_no_answer(names: Names) -> None:
    with pytest.raises(NoAnswer, match="resolved"):
        post("https://nowhere.test/", b"{}", {})


class Receiver(ThreadingHTTPServer):
    """Listens on loopback, which only the operator's own word opens."""

    def __init__(self, answer: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.heard: list[tuple[str, dict[str, str], bytes]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, dict(self.headers), body))
        if self.server.answer == "drip":
            self._drip()
            return
        status, _, target = self.server.answer.partition(" ")
        self.send_response(int(status))
        if target:
            self.send_header("Location", target)
        self.end_headers()
        self.wfile.write(b"x" * (200_000 if status == "200" else 0))

    def _drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        try:
            for number in range(1000):
                self.wfile.write(b"X-Drip-%d: y\r\n" % number)
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            return

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def receiver(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Receiver]:
    made = Receiver(getattr(request, "param", "204"))
    settings.WEBHOOK_INSIDE = [made.place]
    yield made
    made.shutdown()
    made.server_close()


def test_a_receiver_the_operator_vouches_for_is_called_and_only_that_one(receiver: Receiver) -> None:
    assert post(f"http://{receiver.place}/a?b=c", b"{}", {"X-Ours": "1"}).status == 204
    path, headers, body = receiver.heard[0]
    assert (path, headers["X-Ours"], headers["Host"], body) == ("/a?b=c", "1", receiver.place, b"{}")
    with pytest.raises(Forbidden):
        post(f"http://localhost:{receiver.server_port}/", b"{}", {})
    with pytest.raises(Forbidden):
        post(f"https://127.0.0.1:{receiver.server_port + 1}/", b"{}", {})


@pytest.mark.parametrize(
    "receiver",
    [
        f"{status} {target}"
        for status in (301, 302, 303, 307, 308)
        for target in ("http://127.0.0.1:1/", "http://169.254.169.254/")
    ],
    indirect=True,
)
def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = outgoing.resolve
    monkeypatch.setattr(outgoing, "resolve", lambda target: asked.append(target.host) or real(target))
    answer = post(f"http://{receiver.place}/", b"{}", {})
    assert answer.status in {301, 302, 303, 307, 308}
    assert not answer.is_good
    assert asked == ["127.0.0.1"]
    assert len(receiver.heard) == 1


@pytest.mark.parametrize("receiver", ["200"], indirect=True)
def test_a_long_answer_is_cut_off(receiver: Receiver) -> None:
    assert len(post(f"http://{receiver.place}/", b"{}", {}).body) == outgoing.MOST_BYTES


@pytest.mark.parametrize("receiver", ["drip"], indirect=True)
def test_an_answer_that_drips_for_ever_is_cut_off(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "ALL_SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        post(f"http://{receiver.place}/", b"{}", {})
    assert time.monotonic() - began < 5


def test_what_went_wrong_is_said_without_the_address(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    names.answers["hook.test"] = [["93.184.215.14"]]

    def connect(*_rest: Any, **_named: Any) -> socket.socket:
        raise OSError("cannot reach https://hook.test/token-abc")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with pytest.raises(NoAnswer) as told:
        post("https://hook.test/token-abc", b"{}", {})
    assert "token-abc" not in str(told.value)
