"""What the browsers are told of rows, as plain data: decimals stay decimals until they are written as text."""

from __future__ import annotations

from typing import Any

from trading.models import Fill, Order


def tell_order(order: Order) -> dict[str, Any]:
    return {
        "id": order.pk,
        "status": order.status,
        "status_word": order.get_status_display(),
        "is_working": order.is_working,
        "symbol": order.symbol,
        "side": order.side,
        "type": order.type,
        "size": order.size,
        "filled": order.filled,
        "limit_price": order.limit_price,
        "stop_price": order.stop_price,
        "average_price": order.average_price,
        "reduce_only": order.reduce_only,
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id,
        "venue_status": order.venue_status,
        "reason_code": order.reason_code,
        "reason": order.reason,
        "evidence": order.evidence,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
    }


def tell_fill(fill: Fill) -> dict[str, Any]:
    return {
        "id": fill.venue_fill_id,
        "order_id": fill.venue_order_id,
        "client_order_id": fill.client_order_id,
        "symbol": fill.symbol,
        "side": fill.side,
        "size": fill.size,
        "price": fill.price,
        "at": fill.at,
        "fill_kind": fill.kind,
        "fee": fill.fee,
        "fee_currency": fill.fee_currency,
        "realised_pnl": fill.realised_pnl,
    }
