"""The archive: streams of records in pages, read from either end and from any number or moment."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from demovenue.archive import PAGE
from demovenue.store import Store
from demovenue.values import HistoryEvent

START = datetime(2026, 8, 1, tzinfo=UTC)
MANY = 3 * PAGE + 10


def event(number: int, *, owner: str = "a", symbol: str = "PF_XBTUSD") -> HistoryEvent:
    return HistoryEvent(
        seq=number,
        uid=str(number),
        account_uid=owner,
        family="orders",
        key="OrderPlaced",
        at=START + timedelta(seconds=number),
        symbol=symbol,
    )


@pytest.fixture
def store():
    """Every third number is somebody else's."""
    store = Store(None)
    for number in range(1, MANY):
        store.add_history(event(number, owner="b" if number % 3 == 0 else "a"))
        if number % 50 == 0:  # pages of different lengths
            store.commit()
            store.settle()
    store.commit()
    yield store
    store.close()


MINE = [number for number in range(1, MANY) if number % 3]


def read(store, **wanted):
    return [one.seq for one in store.happened(HistoryEvent, "orders", "a", **wanted)]


@pytest.mark.parametrize("low, high", [(0, 2**62), (7, 100), (64, 65), (MANY, 2**62), (0, 1), (1, 2)])
def test_a_stretch_is_read_from_either_end(store, low, high):
    within = [number for number in MINE if low <= number < high]
    assert read(store, low=low, high=high) == within
    assert read(store, low=low, high=high, ascending=False) == within[::-1]


@pytest.mark.parametrize("seconds", [-1, 0, 1, 3, 49.5, 150, MANY - 1, MANY, MANY + 1])
def test_a_moment_is_found_by_its_number(store, seconds):
    later = [number for number in MINE if number >= seconds]
    assert store.number_at("orders", "a", START + timedelta(seconds=seconds)) == (later[0] if later else 2**62)


def test_pages_without_a_tag_are_passed_by(store):
    store.add_history(event(MANY, symbol="PI_XBTUSD"))
    store.commit()
    found = read(store, tags=[["PI_XBTUSD"]])
    assert found[-1] == MANY
    assert len(found) <= PAGE
    assert read(store, tags=[["PI_XBTUSD", "PF_XBTUSD"], []]) == [*MINE, MANY]
    assert read(store, tags=[["PI_XBTUSD"], ["opened"]]) == []


def test_the_newest_number_of_everybody(store):
    assert store.newest("orders") == {"a": max(MINE), "b": max(set(range(1, MANY)) - set(MINE))}


def test_a_directory_of_another_format_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "demovenue.sqlite3"
    with sqlite3.connect(file) as old:
        old.execute("CREATE TABLE fills (seq INTEGER PRIMARY KEY)")
    before = file.read_bytes()
    with pytest.raises(ValueError, match="another version of demovenue"):
        Store(tmp_path)
    assert file.read_bytes() == before
