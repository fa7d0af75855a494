"""The addresses of the trading pages."""

from django.urls import path

from trading.views import charts, instrument, markets, orders, overview, parts, preferences, previews

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
    path("orders/<uuid:order_id>/", orders.order, name="order"),
    path("orders/<uuid:order_id>/cancel/", orders.cancel, name="cancel_order"),
    path("orders/<uuid:order_id>/edit/", orders.edit, name="edit_order"),
    path("charts/<slug:symbol>/<slug:resolution>.json", charts.candles, name="candles"),
    path("preferences/", preferences.preferences, name="preferences"),
]
