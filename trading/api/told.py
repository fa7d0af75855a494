"""Rows as the API tells them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from accounts import models as accounts
from krakenfutures.numbers import plain
from trading import models
from trading.actions.closing import Leg
from trading.figures import Totals
from trading.plain import to_plain
from trading.views.picture import Picture, PositionRow


def number(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def account(row: accounts.Account) -> dict[str, Any]:
    return {
        "id": row.pk,
        "label": row.label,
        "environment": row.environment,
        "demo_email": row.demo_email or None,
    }


def wallets(picture: Picture) -> dict[str, Any]:
    """Of an account that has been read at least once."""
    assert picture.wallets is not None
    assert picture.totals is not None
    stored = picture.account.balances
    told: dict[str, Any] = to_plain(picture.wallets)
    told |= {"account": picture.account.pk, "at": stored.at, "source": stored.source}
    return told | {"totals": totals(picture.totals)}


def totals(sums: Totals) -> dict[str, Any]:
    names = ("equity", "available", "used", "maintenance", "unrealised_pnl", "unrealised_funding", "share")
    told: dict[str, Any] = {name: number(getattr(sums, name)) for name in names}
    return told | {"level": sums.level, "missing": list(sums.missing)}


def position(row: PositionRow) -> dict[str, Any]:
    held = row.position
    return {
        "account": held.account_id,
        "symbol": held.symbol,
        "side": row.side,
        "size": number(abs(held.size)),
        "entry": number(held.entry),
        "mark": number(row.mark),
        "unrealised_pnl": number(row.pnl),
        "pnl_currency": row.currency,
        "unrealised_funding": number(held.unrealised_funding),
        "initial_margin": number(held.initial_margin),
        "maintenance_margin": number(held.maintenance_margin),
        "max_leverage": number(held.max_leverage),
        "unwind_percentile": held.unwind_percentile,
        "liquidation_price": number(held.liquidation_price),
        "liquidation_estimated": row.estimated,
        "liquidation_distance": number(row.distance.share) if row.distance else None,
        "at": held.at,
        "source": held.source,
    }


def order(row: models.Order) -> dict[str, Any]:
    same = ("client_order_id", "venue_order_id", "symbol", "side", "type", "reduce_only", "venue_status")
    numbers = ("size", "filled", "limit_price", "stop_price", "trailing_deviation", "average_price")
    return {
        "id": row.pk,
        "account": row.account_id,
        "state": row.status,
        **{name: getattr(row, name) for name in (*same, "reason_code", "reason", "evidence")},
        **{name: number(getattr(row, name)) for name in numbers},
        "trigger_signal": row.trigger_signal or None,
        "trailing_unit": row.trailing_unit or None,
        "by": row.by.email if row.by else None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def leg(one: Leg) -> dict[str, Any]:
    assert one.order is not None
    return {"done": one.done, "message": one.sentence, "order": order(one.order)}


def batch(row: models.Batch) -> dict[str, Any]:
    lines = [order(line.order) for line in row.lines()]
    return {"id": row.pk, "account": row.account_id, "items": lines}


def fill(row: models.Fill) -> dict[str, Any]:
    same = ("venue_order_id", "client_order_id", "symbol", "side", "kind", "fee_currency", "at")
    return {
        "id": row.venue_fill_id,
        "account": row.account_id,
        **{name: getattr(row, name) for name in same},
        **{name: number(getattr(row, name)) for name in ("size", "price", "fee", "realised_pnl")},
    }


def withdrawal(row: accounts.Withdrawal) -> dict[str, Any]:
    same = (
        "code", "source", "currency", "landing", "target_wallet", "target_account", "reason", "approvals_needed",
        "requested_at", "expires_at", "ready_at", "finished_at", "reference", "resolution", "remark",
    )  # fmt: skip
    return {
        "id": row.pk,
        "account": row.account_id,
        "state": row.get_status_display().lower().replace(" ", "_"),
        "amount": plain(row.amount),
        "requester": row.requester.email,
        "approvals": sum(vote.digest == row.digest for vote in row.approvals.all()),
        **{name: getattr(row, name) for name in same},
    }


def audit_row(row: accounts.AuditRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "at": row.at,
        "actor": row.actor.email if row.actor else None,
        **{name: getattr(row, name) for name in ("action", "about", "details", "request_id", "digest")},
    }
