"""Budgets leak back, faults are counted: both without a venue."""

from __future__ import annotations

from demovenue.doors.faults import Faults, Scope
from demovenue.doors.limits import Bucket, account_log_cost


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_budget_is_spent_and_flows_back() -> None:
    clock = Clock()
    bucket = Bucket(500, 50, clock)
    assert [bucket.take(10) for _ in range(51)] == [True] * 50 + [False]
    assert bucket.wait(10) == 0.2
    clock.now = 0.2
    assert bucket.take(10)
    assert not bucket.take(1)
    clock.now = 100
    assert bucket.take(500)


def test_the_account_log_costs_by_its_length() -> None:
    assert [account_log_cost(count) for count in (1, 25, 26, 50, 51, 1000, 1001, 5000, 5001, 100_000)] == [
        1,
        1,
        2,
        2,
        3,
        3,
        6,
        6,
        10,
        10,
    ]


def test_a_fault_is_met_as_often_as_it_was_armed() -> None:
    faults = Faults(1)
    faults.arm("drop_response", count=2)
    met = [faults.meet("drop_response", path="/x/sendorder", scope=Scope.WRITES) for _ in range(3)]
    assert [one is not None for one in met] == [True, True, False]
    assert faults.armed() == []


def test_reads_do_not_use_up_a_fault_of_writes() -> None:
    faults = Faults(1)
    faults.arm("http_500")
    assert faults.meet("http_500", path="/x/openorders", scope=Scope.PRIVATE) is None
    assert faults.meet("http_500", path="/x/sendorder", scope=Scope.WRITES) is not None


def test_a_path_names_the_calls_that_are_hit() -> None:
    faults = Faults(1)
    faults.arm("delay", path="tickers")
    assert faults.meet("delay", path="/x/sendorder", scope=Scope.WRITES) is None
    assert faults.meet("delay", path="/x/tickers", scope=Scope.ALL) is not None


def test_a_fault_of_one_key_spares_the_others() -> None:
    faults = Faults(1)
    faults.arm("nonce", key="mine")
    assert faults.meet("nonce", key="yours", path="/x/sendorder", scope=Scope.WRITES) is None
    assert faults.meet("nonce", key="mine", path="/x/sendorder", scope=Scope.WRITES) is not None


def test_an_outage_meets_everybody() -> None:
    faults = Faults(1)
    faults.arm("http_503", seconds=30)
    assert faults.meet("http_503", path="/x/tickers", scope=Scope.ALL) is not None
    assert faults.meet("http_503", path="/x/sendorder", scope=Scope.WRITES) is not None


def test_the_dice_are_seeded() -> None:
    def rolls(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.arm("http_500", count=100, probability=0.5)
        return [faults.meet("http_500", path="/x", scope=Scope.WRITES) is not None for _ in range(50)]

    assert rolls(7) == rolls(7)
    assert 10 < sum(rolls(7)) < 40


def test_a_gap_hits_the_book_unless_told_otherwise() -> None:
    faults = Faults(1)
    faults.arm("ws_gap")
    assert faults.meet_feed("ws_gap", "trade", default="book") is None
    assert faults.meet_feed("ws_gap", "book", default="book") is not None
    faults.arm("ws_gap", path="trade")
    assert faults.meet_feed("ws_gap", "trade", default="book") is not None
