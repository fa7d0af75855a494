"""The same client over real sockets: what cannot be replayed is how connections die."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from krakenfutures.errors import Unreachable
from krakenfutures.io import rest
from krakenfutures.io.derivatives import DerivativesVenue
from krakenfutures.values import Accepted, Lost, Outcome, Rejected
from tests.krakenfutures.test_rest_client import ORDER
from tests.krakenfutures.wire import CREDENTIALS, CountingGate, text_of

DEADLINE = datetime(2026, 11, 22, 12, tzinfo=UTC)
Behaviour = Callable[[socket.socket, int], None]


@contextmanager
def a_server(behave: Behaviour) -> Iterator[tuple[str, list[int]]]:
    """Hands each connection, with its number, to `behave`; remembers how many there were."""
    seen: list[int] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            seen.append(len(seen))
            with connection:
                behave(connection, len(seen))

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


def read_request(connection: socket.socket) -> bytes:
    """One whole request."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return body


def answer(connection: socket.socket, name: str) -> None:
    body = text_of(name).encode()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def place_at(url: str) -> Outcome:
    venue = DerivativesVenue(url, "ws://unused")
    with venue.session(CREDENTIALS, CountingGate()) as session:
        outcome = session.orders.place(ORDER, deadline=DEADLINE)
    venue.close()
    return outcome


def test_nobody_there_means_nothing_was_sent():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    outcome = place_at(f"http://127.0.0.1:{port}")

    assert isinstance(outcome, Rejected)
    assert outcome.code == "notSent"


def test_a_name_that_does_not_exist_means_nothing_was_sent():
    assert place_at("http://no-such-venue.invalid").code == "notSent"  # type: ignore[union-attr]


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", b"garbage\r\n\r\n"])
def test_a_connection_that_dies_after_the_order_left_makes_it_lost(words):
    def die(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(words)

    with a_server(die) as (url, seen):
        outcome = place_at(url)

    assert isinstance(outcome, Lost)
    assert len(seen) == 1


def test_a_venue_that_never_answers_makes_it_lost(monkeypatch):
    release = threading.Event()

    def wait(connection: socket.socket, number: int) -> None:
        read_request(connection)
        release.wait(5)

    with a_server(wait) as (url, seen):
        http = rest.Rest(url, timeout=(1, 0.2))
        with pytest.raises(Unreachable, match="in time"):
            http.write(
                "/derivatives/api/v3/sendorder", [], signer=rest.Signer(CREDENTIALS, CountingGate()), cost=rest.FREE
            )
        release.set()
        http.close()

    assert len(seen) == 1


def test_a_connection_the_venue_closed_meanwhile_is_replaced_without_losing_the_order():
    closed = threading.Semaphore(0)

    def one_each(connection: socket.socket, number: int) -> None:
        read_request(connection)
        answer(connection, "rest_sendorder_placed")
        connection.shutdown(socket.SHUT_RDWR)
        closed.release()

    outcomes = []
    with a_server(one_each) as (url, seen):
        venue = DerivativesVenue(url, "ws://unused")
        with venue.session(CREDENTIALS, CountingGate()) as session:
            for _ in range(3):
                outcomes.append(session.orders.place(ORDER, deadline=DEADLINE))
                assert closed.acquire(timeout=5)  # sent into a close that is still on its way, it would be Lost
        venue.close()

    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len(seen) == 3
