"""The assignment programme: who volunteers to take over the positions of the bankrupt."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from demovenue.doors.answers import invalid_argument, iso_millis, not_found, plain, refusal
from demovenue.doors.call import Call
from demovenue.doors.rest_public import V3
from demovenue.doors.table import Right, Table
from demovenue.values import Participant, Refused

Fields = dict[str, Any]
TIME_FRAMES = ("WEEKDAYS", "WEEKEND", "ALL")


def add_routes(table: Table) -> None:
    base = f"{V3}/assignmentprogram"
    table.add("GET", f"{base}/current", current, right=Right.READ, cost=2)
    table.add("GET", f"{base}/history", history, right=Right.READ, cost=2)
    # Read access is enough here: odd, but documented so.
    table.add("POST", f"{base}/add", add, right=Right.READ, cost=2)
    table.add("POST", f"{base}/delete", delete, right=Right.READ, cost=2)


def add(call: Call) -> Fields:
    params = call.params
    contract = params.symbol("contract")
    if contract is not None and call.listed(contract) is None:
        raise invalid_argument("contract")
    wish = Participant(
        account_uid=call.account,
        contract_type=params.required("contractType"),
        contract=contract,
        max_size=params.number("maxSize"),
        max_position=params.number("maxPosition"),
        accept_long=_needed_flag(call, "acceptLong"),
        accept_short=_needed_flag(call, "acceptShort"),
        time_frame=_time_frame(call),
        enabled=_needed_flag(call, "enabled"),
        cash_account_open_position_max_notional=params.number("cashAccountOpenPositionMaxNotional"),
        base_currency=params.get("baseCurrency"),
        quote_currency=params.get("quoteCurrency"),
    )
    made = call.exchange.assignment_add(wish)
    return {"id": made.id, "participant": _participant(made)}


def _needed_flag(call: Call, name: str) -> bool:
    call.params.required(name)
    return bool(call.params.flag(name))


def _time_frame(call: Call) -> str:
    call.params.required("timeFrame")
    word = call.params.word("timeFrame", TIME_FRAMES)
    assert word is not None
    return word


def delete(call: Call) -> Fields:
    number = call.params.whole("id")
    if number is None:
        raise refusal("requiredArgumentMissing")
    try:
        gone = call.exchange.assignment_delete(call.account, number)
    except Refused as refused:
        raise not_found() from refused
    return {"id": gone.id, "participant": _participant(gone)}


def current(call: Call) -> Fields:
    entries = [one for one in call.exchange.assignments(call.account) if one.deleted is None]
    return {"participants": [{"id": one.id, "participant": _participant(one)} for one in entries]}


def history(call: Call) -> Fields:
    """One row for every entry, and one more when it was deleted, in the order of time."""
    rows: list[tuple[datetime, bool, Participant]] = []
    for one in call.exchange.assignments(call.account):
        moments = ((one.added, False), (one.deleted, True))
        rows += [(at, deleted, one) for at, deleted in moments if at is not None]
    rows.sort(key=lambda row: row[0])
    return {
        "participants": [
            {"deleted": deleted, "participant": _participant(one), "timestamp": iso_millis(at)}
            for at, deleted, one in rows
        ]
    }


def _participant(one: Participant) -> Fields:
    most = one.cash_account_open_position_max_notional
    return {
        "contractType": one.contract_type,
        "contract": one.contract,
        "maxSize": None if one.max_size is None else plain(one.max_size),
        "maxPosition": None if one.max_position is None else plain(one.max_position),
        "acceptLong": one.accept_long,
        "acceptShort": one.accept_short,
        "timeFrame": one.time_frame,
        "enabled": one.enabled,
        "cashAccountOpenPositionMaxNotional": None if most is None else plain(most),
        "baseCurrency": one.base_currency,
        "quoteCurrency": one.quote_currency,
    }
