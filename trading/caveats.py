"""What a person should know before an order is sent. Pure; nothing here forbids anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from krakenfutures.margin import bracketed
from krakenfutures.numbers import plain
from krakenfutures.pnl import notional_usd
from krakenfutures.values import NewOrder, OrderType, Side
from trading.preview import NOW_OR_NEVER, ZERO, Caveat, Preview, Situation, against, liquidation_now

STALE = timedelta(seconds=5)  # older prices are no ground for a decision
FAR = Decimal("0.02")  # of the mark: a limit that is so much worse than it is mostly a slip of the finger
SLIPPAGE = Decimal("0.005")  # of the mark
DEPTH = Decimal("0.25")  # of everything visible on the other side
NEAR = Decimal("0.05")  # of the mark: a liquidation price so close is reached on an ordinary day


def caveats(
    order: NewOrder, at: Situation, shown: Preview, *, stop_loss: Decimal | None = None, points_left: int | None = None
) -> Iterator[Caveat]:
    """`stop_loss` is the trigger of an attached stop; `points_left` is what the key's rate budget holds now."""
    yield from _of_prices(at)
    yield from _of_the_finger(order, at, shown)
    yield from _of_the_type(order, at, shown)
    yield from _of_the_position(order, at, shown)
    yield from _of_liquidation(at, shown)
    if beyond := _stop_beyond(order, at, shown, stop_loss):
        yield beyond
    if points_left is not None and points_left < shown.cost:
        yield Caveat(code="budget", sentence="The rate budget of this key is spent for the moment.")


def _of_prices(at: Situation) -> Iterator[Caveat]:
    if at.ticker is None or at.mark is None:
        sentence = "No live price is known, so margin and liquidation price are not."
        yield Caveat(code="no_mark", sentence=sentence, severe=True)
    elif at.ticker.at is None or at.now - at.ticker.at > STALE:
        age = f"{(at.now - at.ticker.at).total_seconds():.0f} s old" if at.ticker.at else "of unknown age"
        yield Caveat(code="stale_mark", sentence=f"The mark price is {age}.", severe=True)


def _of_the_finger(order: NewOrder, at: Situation, shown: Preview) -> Iterator[Caveat]:
    if at.mark and order.limit_price is not None and not order.type.is_trigger:
        worse = (order.limit_price / at.mark - 1) * order.side.sign
        if worse > FAR:
            where = "above" if order.side is Side.BUY else "below"
            sentence = f"The limit is {percent(worse)} {where} the mark."
            yield Caveat(code="far_from_mark", sentence=sentence, severe=True, field="limit_price")
    visible = sum((level.size for level in against(order.side, at)), ZERO) if at.book else ZERO
    if visible and shown.fills_now > visible * DEPTH:
        sentence = f"It takes {percent(shown.fills_now / visible)} of everything visible on the other side."
        yield Caveat(code="eats_depth", sentence=sentence, severe=True, field="size")
    if at.mark and shown.price is not None:
        slip = (shown.price / at.mark - 1) * order.side.sign
        if slip > SLIPPAGE:
            yield Caveat(code="slippage", sentence=f"It would fill {percent(slip)} worse than the mark.", field="size")


def _of_the_type(order: NewOrder, at: Situation, shown: Preview) -> Iterator[Caveat]:
    levels = against(order.side, at)
    if order.type is OrderType.POST and levels and order.limit_price is not None:
        if (levels[0].price - order.limit_price) * order.side.sign <= 0:
            sentence = "Post-only: this price would trade at once, so the venue will refuse it."
            yield Caveat(code="post_would_trade", sentence=sentence, severe=True, field="limit_price")
    elif (
        order.type in NOW_OR_NEVER and at.book is not None and shown.fills_now < order.size and not _cut(order, shown)
    ):
        traded = f"only {plain(shown.fills_now)} of it" if shown.fills_now else "nothing of it"
        sentence = f"By the book as it stands, {traded} would trade; the rest is dropped."
        yield Caveat(code="would_not_trade", sentence=sentence, severe=not shown.fills_now, field="size")


def _of_the_position(order: NewOrder, at: Situation, shown: Preview) -> Iterator[Caveat]:
    if _cut(order, shown):
        held = -shown.position_before * order.side.sign
        if held <= 0 and not order.type.is_trigger:
            sentence = "Reduce-only: there is no position that this would reduce."
            yield Caveat(code="nothing_to_reduce", sentence=sentence, severe=True, field="reduce_only")
        elif held > 0:
            sentence = f"Reduce-only: it is cut to the position, {plain(held)}."
            yield Caveat(code="reduced", sentence=sentence, field="size")
    largest = at.instrument.max_position
    if largest and abs(shown.position) > largest:
        sentence = f"The position would be larger than {plain(largest)}, the most the venue allows."
        yield Caveat(code="max_position", sentence=sentence, severe=True, field="size")
    if _too_high(at, shown):
        chosen = f"The leverage chosen for {at.instrument.symbol}, {plain(at.cap or ZERO)}×,"
        sentence = f"{chosen} is too high for a position of this size."
        yield Caveat(code="leverage_too_high", sentence=sentence, severe=True, field="size")
    available = shown.margin_available
    if available is not None and shown.margin_needed > max(available, ZERO):
        sentence = "It needs more margin than there is, so the venue will most likely refuse it."
        yield Caveat(code="no_margin", sentence=sentence, severe=True, field="size")


def _too_high(at: Situation, shown: Preview) -> bool:
    """An isolated position grows to where its margin levels ask for more than its leverage does."""
    price = shown.entry or at.mark
    if not at.cap or price is None or abs(shown.position) <= abs(shown.position_before):
        return False
    notional = notional_usd(at.instrument.kind, shown.position, price)
    return bracketed(at.instrument.margin_levels, notional, "initial") > notional / at.cap


def _cut(order: NewOrder, shown: Preview) -> bool:
    return order.reduce_only and order.size > max(ZERO, -shown.position_before * order.side.sign)


def _of_liquidation(at: Situation, shown: Preview) -> Iterator[Caveat]:
    if shown.liquidation_price is None or shown.distance is None or shown.distance_share is None:
        return
    if shown.distance * shown.position >= 0:
        sentence = "At the mark of now the resulting position would be liquidated at once."
        yield Caveat(code="liquidates", sentence=sentence, severe=True, field="size")
    elif shown.distance_share < NEAR:
        sentence = f"A move of {percent(shown.distance_share)} would liquidate the resulting position."
        yield Caveat(code="near_liquidation", sentence=sentence, severe=True, field="size")


def _stop_beyond(order: NewOrder, at: Situation, shown: Preview, stop_loss: Decimal | None) -> Caveat | None:
    """A stop that is to protect a position, and stands where the position no longer exists."""
    field, trigger, held, threshold = "stop_loss", stop_loss, shown.position, shown.liquidation_price
    if order.type is OrderType.STOP and shown.position_before * order.side.sign < 0:
        field, trigger, held, threshold = "stop_price", order.stop_price, shown.position_before, liquidation_now(at)
    if trigger is None or threshold is None or not held or (trigger - threshold) * (1 if held > 0 else -1) > 0:
        return None
    sentence = "The stop lies beyond the liquidation price: the position would be liquidated before it is reached."
    return Caveat(code="stop_beyond_liquidation", sentence=sentence, severe=True, field=field)


def percent(share: Decimal) -> str:
    """Two figures are enough for a warning: `12 %`, `1.4 %`."""
    value = share * 100
    return f"{value:.0f} %" if abs(value) >= 10 else f"{value:.1f} %"
