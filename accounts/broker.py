"""One broker per key, across all processes: the rate budgets and the nonce, in one script inside the store.

The venue's budget is a bucket of 500 points that refills at 50 a second, per account; reading history has a bucket of
its own, of 100 points that take ten minutes to come back. Ours leak a little slower and hold a little less, so that
what we think is left is there. docs/decisions/nonce.md tells why a nonce is sent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import redis

from accounts.store import Script
from krakenfutures.errors import Throttled

log = logging.getLogger(__name__)

CAPACITY = 470  # of the venue's 500: the margin covers calls that arrive late and bunched
REFILL = 48  # points a second, of the venue's 50
RESERVE = 100  # kept for urgent calls: ten cancels
FORGET_AFTER = 3600  # seconds without a call; the bucket has been full for long
REFILLED = 30  # seconds after which a budget that nobody used is certainly whole
HISTORY_CAPACITY = 94  # of the venue's 100
HISTORY_REFILL = 0.16  # points a second, of the venue's 100 in ten minutes
HISTORY_RESERVE = 24  # kept for what somebody waits for: the evidence for a withdrawal

# Numbers in Lua are doubles: microseconds fit (2^53), nanoseconds do not, so the last three digits are appended.
ENTER = Script("""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local refill, pool, other = tonumber(ARGV[3]), ARGV[4], ARGV[5]
local row = redis.call('HMGET', KEYS[1], pool .. 'used', pool .. 'at', 'nonce')
local used, at = tonumber(row[1]), tonumber(row[2])
if not used then
  used, at = tonumber(ARGV[6]), now
  redis.call('HSETNX', KEYS[1], other .. 'used', ARGV[7])
  redis.call('HSETNX', KEYS[1], other .. 'at', string.format('%.0f', now))
end
local passed = math.max(0, now - at)
used = math.max(0, used - passed * refill / 1000000)
local nonce = math.max((tonumber(row[3]) or 0) + 1, now)
local wait = 0
if cost > 0 and used + cost > room then
  wait = math.ceil((used + cost - room) * 1000000 / refill)
else
  used = used + cost
  redis.call('HSET', KEYS[1], 'nonce', string.format('%.0f', nonce))
end
redis.call('HSET', KEYS[1], pool .. 'used', string.format('%.6f', used),
  pool .. 'at', string.format('%.0f', math.max(at, now)))
redis.call('EXPIRE', KEYS[1], ARGV[8])
return {wait, string.format('%.0f', nonce) .. '000'}
""")
PENALISE = Script("""
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[3] .. 'used', ARGV[1],
  ARGV[3] .. 'at', string.format('%.0f', time[1] * 1000000 + time[2]))
redis.call('EXPIRE', KEYS[1], ARGV[2])
""")
LEFT = Script("""
local time = redis.call('TIME')
local row = redis.call('HMGET', KEYS[1], ARGV[2] .. 'used', ARGV[2] .. 'at')
if not row[1] then return '0' end
local passed = math.max(0, time[1] * 1000000 + time[2] - tonumber(row[2]))
return string.format('%.6f', math.max(0, tonumber(row[1]) - passed * tonumber(ARGV[1]) / 1000000))
""")


@dataclass(frozen=True, slots=True)
class Pool:
    """A bucket of the venue's. `prefix` names its columns in the key's row of the store."""

    prefix: str
    capacity: int
    refill: float  # points a second
    reserve: int  # for urgent calls


TRADING = Pool("", CAPACITY, REFILL, RESERVE)
HISTORY = Pool("history_", HISTORY_CAPACITY, HISTORY_REFILL, HISTORY_RESERVE)


class StoreAway(Throttled):
    """The store does not answer, so nobody can say what is left: nothing is sent."""


@dataclass(frozen=True, slots=True)
class Budget:
    points: int  # left now
    capacity: int
    refill_per_second: float
    reserve: int = RESERVE


class Broker:
    """The gate of one key (`krakenfutures.venue.Gate`). Cheap to make; all state is in the store.

    `rested`: the caller has proof that nobody used the key of late, or finds out when the first call is made. Without
    a record in the store (it was emptied) and without that proof, the budget is taken to be spent.
    """

    def __init__(self, name: int | str, *, rested: bool | Callable[[], bool] = False) -> None:
        self._place = _place(name)
        self._rested = rested if callable(rested) else lambda: rested

    def enter(self, cost: int, *, urgent: bool = False, history: bool = False) -> int | None:
        """Spend `cost` points, get the nonce to send. Raises `Throttled`, and spends nothing, when they are short."""
        pool, other = (HISTORY, TRADING) if history else (TRADING, HISTORY)
        room = pool.capacity if urgent else pool.capacity - pool.reserve
        if cost > room:
            raise ValueError(f"no call may cost {cost} points: the budget never holds more than {room}")
        rested = self._rested()
        self._rested = lambda: False  # the proof is of this moment: should the store be emptied later, it is spent
        if_unknown = [0, 0] if rested else [pool.capacity, other.capacity]
        try:
            wait, nonce = ENTER(
                self._place, cost, room, pool.refill, pool.prefix, other.prefix, *if_unknown, FORGET_AFTER
            )
        except redis.RedisError as error:
            raise _away(error) from error
        if wait:
            seconds = int(wait) / 1_000_000
            raise Throttled(
                f"The rate budget of this key is spent; nothing was sent. Again in {seconds:.1f} s.",
                retry_after=seconds,
            )
        return int(nonce)

    def penalise(self, *, history: bool = False) -> None:
        """The venue said "too fast": somebody else uses the account too, so begin again from an empty budget."""
        pool = HISTORY if history else TRADING
        try:
            PENALISE(self._place, pool.capacity, FORGET_AFTER, pool.prefix)
        except redis.RedisError as error:
            raise _away(error) from error


def open_budget(api_key_id: int) -> None:
    """A key that is new here has its pools whole.

    Noted before anybody can use it: of two who begin at once, the later would take the other's use for an old one.
    Without the store it is found out at the first call.
    """
    try:
        Broker(api_key_id, rested=True).enter(0)
    except StoreAway as problem:
        log.warning("the budget of key %s was not opened: %s", api_key_id, problem)


def budget(api_key_id: int, pool: Pool = TRADING) -> Budget:
    """For the gauge. Raises `StoreAway`."""
    try:
        used = float(LEFT(_place(api_key_id), pool.refill, pool.prefix))
    except redis.RedisError as error:
        raise _away(error) from error
    return Budget(
        points=int(pool.capacity - used),
        capacity=pool.capacity,
        refill_per_second=pool.refill,
        reserve=pool.reserve,
    )


def _place(name: int | str) -> str:
    return f"kfweb:broker:{name}"


def _away(error: redis.RedisError) -> StoreAway:
    return StoreAway(
        f"The store that keeps the rate budget does not answer ({type(error).__name__}); nothing was sent."
    )
