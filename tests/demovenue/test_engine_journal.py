"""The file that holds what the tables do not have yet."""

from __future__ import annotations

import errno

import pytest

from demovenue.exchange import Exchange
from demovenue.journal import ROOM, Journal
from demovenue.store import Store
from tests.demovenue.engine_world import World, open_exchange


def written(file, *entries, period=3):
    journal = Journal(file)
    journal.begin(period)
    for entry in entries:
        journal.add(entry)
    journal.close()


def test_entries_come_back_in_order(tmp_path):
    written(tmp_path / "j", b"one", b"2", b"three" * ROOM)
    journal = Journal(tmp_path / "j")
    assert journal.read(3) == [b"one", b"2", b"three" * ROOM]
    journal.begin(4)
    assert journal.read(4) == []
    journal.add(b"x")  # shorter than what stood there before
    assert journal.read(4) == [b"x"]
    journal.begin(5)
    assert journal.read(5) == []
    journal.close()


def test_a_period_that_is_in_the_tables_already_is_not_played_again(tmp_path):
    written(tmp_path / "j", b"one", period=3)
    assert Journal(tmp_path / "j").read(4) == []


@pytest.mark.parametrize("cut", [1, 3, 4, 7])
def test_an_entry_that_was_cut_off_is_left_out(tmp_path, cut):
    written(tmp_path / "j", b"whole", b"torn")
    content = (tmp_path / "j").read_bytes()
    end = content.index(b"torn") + len(b"torn")
    (tmp_path / "j").write_bytes(content[: end - cut] + bytes(len(content) - end + cut))
    assert Journal(tmp_path / "j").read(3) == [b"whole"]
    (tmp_path / "j").write_bytes(content[: end - cut])
    assert Journal(tmp_path / "j").read(3) == [b"whole"]
    (tmp_path / "j").write_bytes(content[: end - 1] + b"x" + content[end:])
    assert Journal(tmp_path / "j").read(3) == [b"whole"]


def test_a_kill_between_the_tables_and_the_journal_does_nothing_twice(tmp_path):
    world = World(tmp_path)
    world.send("mkt", "buy", "0.1")
    kept = (tmp_path / "journal.bin").read_bytes()
    fills, log = world.exchange.fills(world.trader), world.exchange.account_log(world.trader)  # reading settles
    (tmp_path / "journal.bin").write_bytes(kept)  # as if the file had not been emptied any more
    again = open_exchange(tmp_path)
    assert again.fills(world.trader) == fills
    assert again.account_log(world.trader) == log
    again.close()


def test_of_many_writes_of_one_key_the_last_one_counts():
    store = Store(None)
    for number in range(5):
        store.put("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", "a", "X", str(number).encode())
        store.put("INSERT INTO withdrawals VALUES (?, ?, ?, ?)", str(number), "a", 0, b"")
    store.put("DELETE FROM positions WHERE account = ? AND symbol = ?", "a", "X")
    store.put("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", "a", "Y", b"first")
    store.put("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", "a", "Y", b"last")
    store.commit()
    assert list(store.rows("SELECT symbol, body FROM positions")) == [("Y", b"last")]
    assert list(store.rows("SELECT COUNT(*) FROM withdrawals")) == [(5,)]
    store.close()


def test_a_full_disk_is_said_and_not_passed_over(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "j")
    journal.begin(1)

    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        journal.add(b"x" * ROOM)
    journal.close()
    with pytest.raises(OSError, match="No space left"):
        Exchange(tmp_path / "another")
