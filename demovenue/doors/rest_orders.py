"""Placing, changing and withdrawing orders. The exchange decides; here is only what was asked and what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from demovenue.doors.answers import Answer, invalid_argument, iso_millis, refusal
from demovenue.doors.call import Call
from demovenue.doors.params import Params, parse_json
from demovenue.doors.rest_public import V3
from demovenue.doors.shapes import orders
from demovenue.doors.table import Right, Table
from demovenue.values import CancelWish, EditWish, OrderResult, OrderWish

Fields = dict[str, Any]
Wish = OrderWish | EditWish | CancelWish

LIMIT_TYPES = frozenset({"lmt", "post", "ioc", "fok"})
TRIGGER_TYPES = frozenset({"stp", "take_profit"})
SIGNALS = ("mark", "index", "last")
UNITS = ("PERCENT", "QUOTE_CURRENCY")
ORDER_FAULTS = ("fill_at_once", "partial_fill", "unknown_fill_type")
_PER_ORDER = frozenset({*ORDER_FAULTS, "hide_from_open_orders"})
MOST_IN_A_BATCH = 500
# Spellings that are still sent: python-kraken-sdk knows no `index`.
_OLD_TYPES = {"stop": "stp"}
_OLD_SIGNALS = {"spot": "index"}


def add_routes(table: Table) -> None:
    table.add("POST", f"{V3}/sendorder", send_order, right=Right.FULL, cost=10)
    table.add("POST", f"{V3}/editorder", edit_order, right=Right.FULL, cost=10)
    table.add("POST", f"{V3}/cancelorder", cancel_order, right=Right.FULL, cost=10)
    table.add("POST", f"{V3}/cancelallorders", cancel_all, right=Right.FULL, cost=25)
    table.add("POST", f"{V3}/cancelallordersafter", cancel_all_after, right=Right.FULL, cost=25)
    table.add("POST", f"{V3}/batchorder", batch, right=Right.FULL, cost=batch_cost)
    for method in ("GET", "POST"):
        table.add(method, f"{V3}/orders/status", order_status, right=Right.FULL, cost=1, writes=False)


async def send_order(call: Call) -> Fields:
    wish = read_order(call.params, call)
    return {"sendStatus": orders.send_status(await _place(call, wish))}


async def _settled(submit: Callable[[Callable[[Any], None]], Any]) -> Any:
    """What `submit` returns, or what it tells later when the market holds orders back for its makers' protection."""
    later: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    result = submit(later.set_result)
    return await later if result is None else result


async def _place(call: Call, wish: OrderWish) -> OrderResult:
    """Hand the order over, with whatever is to go wrong with it."""
    faults = call.house.faults
    fault = next((name for name in ORDER_FAULTS if faults.meet(name, key=call.public)), None)
    hidden = faults.meet("hide_from_open_orders", key=call.public) is not None
    with call.house.hiding(call.account, hidden):
        result: OrderResult = await _settled(
            lambda told: call.exchange.submit_order(call.account, wish, told=told, fault=fault)
        )
    if result.order_id:
        call.touched.append(result.order_id)
        if hidden:
            call.house.hidden_orders.add(result.order_id)
    return result


def read_order(params: Params, call: Call) -> OrderWish:
    """What sendorder takes. Raises for what is missing or cannot be read; the rest the exchange judges."""
    kind = _order_type(params)
    symbol, size = params.required("symbol"), params.number("size")
    if size is None:
        raise refusal("requiredArgumentMissing")
    if not call.knows(symbol):
        raise invalid_argument("symbol")
    wish = OrderWish(
        order_type=kind,
        symbol=symbol.upper(),
        side=params.required("side").lower(),
        size=size,
        limit_price=params.number("limitPrice"),
        stop_price=params.number("stopPrice"),
        trigger_signal=_signal(params),
        reduce_only=params.flag("reduceOnly") or False,
        cli_ord_id=params.get("cliOrdId"),
        trailing_max_deviation=params.number("trailingStopMaxDeviation"),
        trailing_unit=params.word("trailingStopDeviationUnit", UNITS),
        limit_offset_value=params.number("limitPriceOffsetValue"),
        limit_offset_unit=params.word("limitPriceOffsetUnit", UNITS),
        process_before=call.deadline(params),
        algo_id=call.algo_id,
    )
    _require_prices(wish)
    return wish


def _order_type(params: Params) -> str:
    """What is no type is passed on: the answer's status says so."""
    given = params.required("orderType").lower()
    return _OLD_TYPES.get(given, given)


def _signal(params: Params) -> str | None:
    word = params.word("triggerSignal", (*SIGNALS, *_OLD_SIGNALS))
    return word if word is None else _OLD_SIGNALS.get(word, word)


def _require_prices(wish: OrderWish) -> None:
    """Limit orders need a limit, triggers a trigger price, trailing stops a distance."""
    missing = (
        (wish.order_type in LIMIT_TYPES and wish.limit_price is None)
        or (wish.order_type in TRIGGER_TYPES and wish.stop_price is None)
        or (wish.order_type == "trailing_stop" and (wish.trailing_max_deviation is None or wish.trailing_unit is None))
    )
    if missing:
        raise refusal("requiredArgumentMissing")


async def edit_order(call: Call) -> Fields:
    wish = read_edit(call.params, call)
    result = await _settled(lambda told: call.exchange.submit_edit(call.account, wish, told=told))
    return {"editStatus": orders.edit_status(result)}


def read_edit(params: Params, call: Call, *, id_name: str = "orderId") -> EditWish:
    order_id, cli_ord_id = params.get(id_name), params.get("cliOrdId")
    if order_id is None and cli_ord_id is None:
        raise refusal("requiredArgumentMissing")
    return EditWish(
        order_id=order_id,
        cli_ord_id=cli_ord_id,
        size=params.number("size"),
        limit_price=params.number("limitPrice"),
        stop_price=params.number("stopPrice"),
        trailing_max_deviation=params.number("trailingStopMaxDeviation"),
        trailing_unit=params.word("trailingStopDeviationUnit", UNITS),
        qty_mode=params.word("qtyMode", ("RELATIVE", "ABSOLUTE")) or "RELATIVE",
        process_before=call.deadline(params),
    )


def cancel_order(call: Call) -> Fields:
    result = call.exchange.cancel_order(call.account, read_cancel(call.params, call))
    return {"cancelStatus": orders.send_status(result)}


def read_cancel(params: Params, call: Call) -> CancelWish:
    order_id, cli_ord_id = params.get("order_id") or params.get("orderId"), params.get("cliOrdId")
    if order_id is None and cli_ord_id is None:
        raise refusal("requiredArgumentMissing")
    return CancelWish(order_id=order_id, cli_ord_id=cli_ord_id, process_before=call.deadline(params))


def cancel_all(call: Call) -> Fields:
    symbol = call.params.symbol()
    if symbol is not None and call.listed(symbol) is None:
        raise invalid_argument("symbol")
    return {"cancelStatus": orders.cancel_all(call.exchange.cancel_all(call.account, symbol))}


def cancel_all_after(call: Call) -> Fields:
    call.params.required("timeout")
    timeout = call.params.whole("timeout", most=2**32 - 1)
    assert timeout is not None
    fires = call.exchange.cancel_all_after(call.account, timeout)
    trigger = "0" if fires is None else iso_millis(fires)
    return {"status": {"currentTime": iso_millis(call.exchange.now()), "triggerTime": trigger}}


def order_status(call: Call) -> Fields:
    ids, client_ids = call.params.all("orderIds"), call.params.all("cliOrdIds")
    found = call.exchange.order_status(call.account, ids, client_ids)
    return {"orders": [orders.order_status(one) for one in found]}


# --- batches --------------------------------------------------------------------------------------


def batch_cost(call: Call) -> int:
    return 9 + len(_elements(call.params))


async def batch(call: Call) -> Fields:
    """One answer a line, in order. A line that cannot be read is answered as such and the others go on."""
    deadline = call.deadline(call.params) or call.deadline(call.params, "ProcessBefore")
    lines = [_line(element) for element in _elements(call.params)]
    wishes = [_read_line(line, call) for line in lines]
    results = iter(await _apply(call, [wish for wish in wishes if wish is not None], deadline))
    rows = [
        _unreadable(line) if wish is None else orders.batch_status(next(results), _tag(line, wish))
        for line, wish in zip(lines, wishes, strict=True)
    ]
    return {"batchStatus": rows}


async def _apply(call: Call, wishes: Sequence[Wish], deadline: datetime | None) -> Sequence[OrderResult]:
    """All at once, unless something is to go wrong with single orders."""
    if any(fault.name in _PER_ORDER for fault in call.house.faults.armed()):
        return [await _apply_one(call, wish, deadline) for wish in wishes]
    results: Sequence[OrderResult] = await _settled(
        lambda told: call.exchange.submit_batch(call.account, wishes, told=told, process_before=deadline)
    )
    for wish, result in zip(wishes, results, strict=True):
        if isinstance(wish, OrderWish) and result.order_id:
            call.touched.append(result.order_id)
    return results


async def _apply_one(call: Call, wish: Wish, deadline: datetime | None) -> OrderResult:
    if isinstance(wish, OrderWish):
        return await _place(call, msgspec.structs.replace(wish, process_before=wish.process_before or deadline))
    return call.exchange.batch(call.account, [wish], process_before=deadline)[0]


def _tag(line: Params, wish: Wish) -> str | None:
    return line.get("order_tag") if isinstance(wish, OrderWish) else None


def _elements(params: Params) -> list[Mapping[str, Any]]:
    """The lines. A list alone is taken too: older clients send the array without its wrapper."""
    document = parse_json(params.required("json"))
    lines = document.get("batchOrder") if isinstance(document, dict) else document
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise refusal("requiredArgumentMissing")
    if len(lines) > MOST_IN_A_BATCH:
        raise refusal("invalidArgument: batchOrder")
    return lines


def _line(element: Mapping[str, Any]) -> Params:
    """A JSON object read like a form: numbers and booleans become their texts."""
    return Params({name: [_as_text(value)] for name, value in element.items() if value is not None})


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _read_line(line: Params, call: Call) -> Wish | None:
    """None when the line makes no sense."""
    try:
        kind = line.required("order").lower()
        if kind == "send":
            line.required("order_tag")
            return read_order(line, call)
        return _OTHER_LINES[kind](line, call) if kind in _OTHER_LINES else None
    except Answer:
        return None


def _read_edit_line(line: Params, call: Call) -> EditWish:
    return read_edit(line, call, id_name="order_id")


_OTHER_LINES: dict[str, Callable[[Params, Call], Wish]] = {"edit": _read_edit_line, "cancel": read_cancel}


def _unreadable(params: Params) -> Fields:
    """As recorded: no id and no events."""
    tag = params.get("order_tag")
    return {"status": "requiredArgumentMissing"} | ({"order_tag": tag} if tag else {}) | {"orderEvents": []}
