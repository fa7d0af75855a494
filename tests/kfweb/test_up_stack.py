"""One command up, kept up, and gone without a trace."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.stack import Stack, StackFailed

pytestmark = [pytest.mark.venue, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack")).start()
    yield stack
    if stack.process and stack.process.poll() is None:
        stack.stop()


def wait_for(question: object, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not question():  # type: ignore[operator]
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_it_says_where_it_is_and_is_healthy(stack: Stack) -> None:
    assert f"{stack.url}/" in stack.output
    assert requests.get(f"{stack.url}/healthz", timeout=5).text == "ok\n"
    wait_for(lambda: stack.health()["status"] == "ready")


def test_metrics_are_told_in_prometheus_text(stack: Stack) -> None:
    assert 'kfweb_check_ok{check="database"} 1.0' in requests.get(f"{stack.url}/metrics", timeout=5).text


def test_what_is_written_stays_in_the_data_folder_and_private(stack: Stack) -> None:
    assert (stack.folder / "master.key").stat().st_mode & 0o077 == 0
    if "REDIS_URL" not in stack.environment:  # with a server of its own it starts no store
        assert (stack.folder / "run" / "store.sock").exists() or len(str(stack.folder)) > 80


@pytest.mark.parametrize(
    "part", ["daphne", "manage.py relay", "celery -A kfweb worker", "celery -A kfweb beat", "demovenue"]
)
def test_a_part_that_is_killed_comes_back(stack: Stack, part: str) -> None:
    before = stack.pid_of(part)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: part_back(stack, part, before))
    wait_for(lambda: answers(stack), seconds=30)


def part_back(stack: Stack, part: str, before: int) -> bool:
    try:
        return stack.pid_of(part) != before
    except LookupError:
        return False


def answers(stack: Stack) -> bool:
    try:
        return stack.health()["status"] == "ready"
    except requests.RequestException:
        return False


def test_a_second_desk_on_the_same_folder_is_refused(stack: Stack) -> None:
    with pytest.raises(StackFailed, match="Another kfweb already runs"):
        Stack(stack.folder).start()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", stack.port))
        other.listen()
        with pytest.raises(StackFailed, match=f"Port {stack.port} .* KFWEB_PORT"):
            stack.start()


def test_ctrl_c_stops_everything_and_a_second_start_finds_its_data(tmp_path: Path) -> None:
    stack = Stack(tmp_path).start()
    stack.signed_in()
    children = stack.pids()
    assert stack.stop(signal.SIGINT) == 0
    wait_for(lambda: not any(alive(pid) for pid in children))

    again = Stack(tmp_path, KFWEB_OWNER_EMAIL="", KFWEB_OWNER_PASSWORD="").start()
    again.signed_in()
    children = again.pids()
    assert again.process
    again.process.kill()  # not even a chance to say goodbye
    again.process.wait()
    wait_for(lambda: not any(alive(pid) for pid in children))


def test_a_lost_or_foreign_master_key_refuses_to_start_and_says_why(tmp_path: Path) -> None:
    Stack(tmp_path).start().stop()
    key = (tmp_path / "master.key").read_bytes()

    (tmp_path / "master.key").unlink()
    with pytest.raises(StackFailed, match=r"(?i)cannot start.*master key"):
        Stack(tmp_path).start()

    Stack(tmp_path / "other").start().stop()
    (tmp_path / "master.key").write_bytes((tmp_path / "other" / "master.key").read_bytes())
    (tmp_path / "master.key").chmod(0o600)
    with pytest.raises(StackFailed, match=r"(?i)cannot start.*master key"):
        Stack(tmp_path).start()

    (tmp_path / "master.key").write_bytes(key)
    Stack(tmp_path).start().stop()
