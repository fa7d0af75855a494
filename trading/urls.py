"""The addresses of the trading pages."""

from django.urls import include, path

from trading.views import (
    batches,
    charts,
    history,
    instrument,
    markets,
    orders,
    overview,
    parts,
    preferences,
    previews,
    risk,
)

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("parts/", parts.parts, name="parts"),
    path("markets/", markets.markets, name="markets"),
    path("markets/<slug:symbol>/favourite/", markets.favourite, name="favourite"),
    path("trade/", instrument.trade, name="trade"),
    path("trade/<slug:symbol>/", instrument.instrument, name="instrument"),
    path("trade/<slug:symbol>/ticket/", instrument.ticket, name="ticket"),
    path("trade/<slug:symbol>/preview/", previews.preview, name="preview_order"),
    path("orders/", orders.place, name="place_order"),
    path("orders/cancel/", risk.cancel_many, name="cancel_orders"),
    path("positions/<slug:symbol>/close/", risk.close, name="close_position"),
    path("positions/<slug:symbol>/reverse/", risk.reverse, name="reverse_position"),
    path("batch/", batches.batch, name="batch"),
    path("batch/<uuid:batch_id>/", batches.result, name="batch_result"),
    path("flatten/", risk.flatten, name="flatten"),
    path("halt/", risk.halt, name="halt"),
    path("halt/lift/", risk.lift, name="lift_halt"),
    path("dead-man/", risk.dead_man, name="dead_man"),
    path("dead-man/here/", risk.be_here, name="be_here"),
    path("orders/<uuid:order_id>/", orders.order, name="order"),
    path("orders/<uuid:order_id>/cancel/", orders.cancel, name="cancel_order"),
    path("orders/<uuid:order_id>/edit/", orders.edit, name="edit_order"),
    path("history/", history.history, name="history"),
    path("history/progress/", history.progress, name="history_progress"),
    path("history/views/", history.save, name="save_view"),
    path("history/views/<int:view_id>/forget/", history.forget, name="forget_view"),
    path("charts/<slug:symbol>/<slug:resolution>.json", charts.candles, name="candles"),
    path("api/", include("trading.api.urls")),
    path("preferences/", preferences.preferences, name="preferences"),
]
