"""The assignment programme: who volunteers to take over positions of the bankrupt, and how much of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import msgspec

from demovenue.floor import Floor
from demovenue.liquidation import Taker
from demovenue.market import Market
from demovenue.values import Participant, Refused

WEEKEND = {5, 6}
TIME_FRAMES = {"WEEKDAYS", "WEEKEND", "ALL"}


class Assignment:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._all: dict[int, Participant] = {
            p.id: p for p in floor.store.records(Participant, "SELECT body FROM participants ORDER BY id")
        }

    def add(self, participant: Participant) -> Participant:
        """`id` and `added` are given here. Refused `invalidArgument` for a contract or a time that is none."""
        if participant.contract is not None:
            self._floor.market(participant.contract)
        if participant.time_frame not in TIME_FRAMES:
            raise Refused("invalidArgument")
        kept = msgspec.structs.replace(participant, id=len(self._all) + 4101, added=self._floor.now)
        self._save(kept)
        return kept

    def delete(self, uid: str, number: int) -> Participant:
        """Refused `notFound` when it is not the account's or gone already."""
        found = self._all.get(number)
        if found is None or found.account_uid != uid or found.deleted is not None:
            raise Refused("notFound")
        gone = msgspec.structs.replace(found, deleted=self._floor.now)
        self._save(gone)
        return gone

    def of(self, uid: str) -> list[Participant]:
        """Everything the account ever entered, ascending; `deleted` tells which are gone."""
        return [p for p in self._all.values() if p.account_uid == uid]

    def takers(self, market: Market, long: bool) -> Iterator[Taker]:
        """Who takes a position of this direction in this market now, and up to what size."""
        for entry in self._all.values():
            if entry.deleted is None and entry.enabled and _fits(entry, market, long, self._floor.now):
                size = self._room(entry, market, long)
                if size > 0:
                    yield Taker(entry.account_uid, size)

    def _room(self, entry: Participant, market: Market, long: bool) -> Decimal:
        room = market.instrument.max_position if entry.max_size is None else entry.max_size
        if entry.max_position is not None:
            held = self._floor.position_size(entry.account_uid, market.symbol)
            room = min(room, entry.max_position - (held if long else -held))
        return room - room % market.instrument.lot

    def _save(self, participant: Participant) -> None:
        self._all[participant.id] = participant
        sql = "INSERT OR REPLACE INTO participants VALUES (?, ?)"
        self._floor.store.put(sql, participant.id, msgspec.json.encode(participant))


def _fits(entry: Participant, market: Market, long: bool, now: datetime) -> bool:
    instrument = market.instrument
    if not (entry.accept_long if long else entry.accept_short):
        return False
    if entry.contract is not None and entry.contract != market.symbol:
        return False
    if entry.contract is None and entry.contract_type not in {"futures_inverse" if instrument.inverse else "flex"}:
        return False
    if entry.base_currency is not None and entry.base_currency.replace("BTC", "XBT") != instrument.coin:
        return False
    weekend = now.weekday() in WEEKEND
    return entry.time_frame == "ALL" or (entry.time_frame == "WEEKEND") == weekend
