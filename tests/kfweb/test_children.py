"""A child that dies is started again; one that keeps dying ends the tree with a message that names it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kfweb.children import TOO_MANY, Child, Hopeless


def child(folder: Path, program: str) -> Child:
    return Child("part", [sys.executable, "-c", program], folder / "part.log", folder=folder)


def test_a_dead_child_is_started_again_after_a_pause(tmp_path: Path) -> None:
    part = child(tmp_path, "raise SystemExit(3)")
    part.start()
    assert part.process
    part.process.wait()
    assert part.tend(now=0.0) == "part ended (exit code 3); starting it again in 0.5 s"
    assert part.tend(now=0.4) is None
    assert part.tend(now=0.6) == "part started again"


def test_a_child_that_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    part = child(tmp_path, "raise SystemExit('no such table')")
    with pytest.raises(Hopeless, match="part ended 5 times"):
        for turn in range(8 * TOO_MANY):  # the pauses between grow to 10 s
            part.tend(now=float(turn))
            if part.process:
                part.process.wait()
    assert "no such table" in part.last_words()


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    part = child(
        tmp_path,
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)",
    )
    part.start()
    while not part.last_words():
        pass
    part.stop(seconds=0.2)
    assert not part.is_running


def test_a_child_that_lasted_is_started_again_as_soon_as_the_first_time(tmp_path: Path) -> None:
    part = child(tmp_path, "raise SystemExit(3)")
    for hour in range(2 * TOO_MANY):
        part.start()
        assert part.process
        part.process.wait()
        assert part.tend(now=3600.0 * hour) == "part ended (exit code 3); starting it again in 0.5 s"
