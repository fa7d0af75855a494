"""How often somebody may do something: a leaking bucket in the shared store, so that all processes count as one."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import redis

from accounts.store import Script

log = logging.getLogger(__name__)

SPEND = Script("""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local room, refill = tonumber(ARGV[1]), tonumber(ARGV[2])
local row = redis.call('HMGET', KEYS[1], 'used', 'at')
local used = math.max(0, (tonumber(row[1]) or 0) - math.max(0, now - (tonumber(row[2]) or now)) * refill / 1000000)
local wait = 0
if used + 1 > room then
  wait = math.ceil((used + 1 - room) * 1000000 / refill)
else
  used = used + 1
end
redis.call('HSET', KEYS[1], 'used', string.format('%.6f', used), 'at', string.format('%.0f', now))
redis.call('EXPIRE', KEYS[1], math.ceil(room / refill) + 1)
return wait
""")


@dataclass(frozen=True, slots=True)
class Allowance:
    """`burst` at once, and `per_minute` for ever."""

    burst: int
    per_minute: int


def wait_for(who: str, allowance: Allowance) -> float:
    """Count one more of `who`; 0 lets it through, else the seconds until the next would be.

    Without the store nobody can count, and it is let through: what protects money is not here, and a desk whose store
    is away must still be able to show and to cancel.
    """
    arguments = [allowance.burst, allowance.per_minute / 60]
    try:
        return int(SPEND(f"kfweb:pace:{who}", *arguments)) / 1_000_000
    except redis.RedisError as problem:
        log.warning("the store does not count how often %s calls: %s", who, type(problem).__name__)
        return 0.0
