"""Leverage and the currency of profits, contract by contract: read from the venue, set there, and read again.

Setting one twice only says the same again. So nothing is lost with an answer: what holds is read back, and only that
is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import Account, ApiKey, User
from accounts.rules import NotAllowed
from accounts.vault import VaultError
from accounts.venues import session_for
from krakenfutures import values
from krakenfutures.errors import KrakenError, Refused, Throttled
from krakenfutures.numbers import plain
from krakenfutures.values import Instrument
from krakenfutures.venue import Session
from trading.actions.admitting import require_no_halt
from trading.actions.bells import ring
from trading.actions.previewing import points_left
from trading.actions.progress import advance, reading
from trading.actions.reaching import require_trader, trading_session
from trading.instruments import instrument_for
from trading.models import ContractPreference, Position, Sync
from trading.rules import leverage_refusal, pnl_currency_refusal

RANKS_GOOD_FOR = timedelta(minutes=10)  # to ask for them takes two fifths of a key's budget
QUIET = 450  # points that are left where nobody is busy
PREFERENCES, RANKS = "preferences", "unwind ranks"  # streams


def preference_of(account: Account, symbol: str) -> ContractPreference:
    """As last heard; an empty one where nothing was chosen."""
    found = ContractPreference.objects.filter(account=account, symbol=symbol).first()
    return found or ContractPreference(account=account, symbol=symbol)


def set_leverage(account: Account, symbol: str, *, by: User, max_leverage: Decimal | None) -> ContractPreference:
    """Isolates the contract with that cap; None margins it across the wallet again. Raises `NotAllowed`."""
    key, instrument = require_trader(by, account), instrument_for(account.environment, symbol)
    if refusal := leverage_refusal(instrument, max_leverage):
        raise refusal
    said = "across the wallet" if max_leverage is None else plain(max_leverage)
    return _set(
        key, instrument, by, {"max_leverage": said},
        lambda session: session.preferences.set_leverage(instrument.symbol, max_leverage),
        lambda row: row.max_leverage == max_leverage,
    )  # fmt: skip


def set_pnl_currency(account: Account, symbol: str, *, by: User, currency: str) -> ContractPreference:
    """What profits of the contract are paid out in from now on. Raises `NotAllowed`."""
    key, instrument = require_trader(by, account), instrument_for(account.environment, symbol)
    if refusal := pnl_currency_refusal(instrument, currency):
        raise refusal
    return _set(
        key, instrument, by, {"pnl_currency": currency},
        lambda session: session.preferences.set_pnl_currency(instrument.symbol, currency),
        lambda row: row.pnl_currency == currency,
    )  # fmt: skip


def _set(
    key: ApiKey,
    instrument: Instrument,
    by: User,
    wish: dict[str, str],
    put: Callable[[Session], None],
    holds: Callable[[ContractPreference], bool],
) -> ContractPreference:
    """The one way a preference is changed: not while the desk is halted, in the book before and after, read back."""
    account, symbol = key.account, instrument.symbol
    with transaction.atomic():
        require_no_halt(account)
        record(by, "preference.sent", account, desk=account.desk, symbol=symbol, **wish)
    lost = _sent(key, put)
    row = _read_back(key, symbol, lost)
    with transaction.atomic():
        status = "holds" if holds(row) else "does not hold"
        record(by, "preference.answered", account, desk=account.desk, symbol=symbol, status=status, **wish)
    ring("trading.sync_state", key.pk)
    if not holds(row):
        why = lost or "The venue took it, and says otherwise now."
        raise NotAllowed(f"{why} Shown here is what it says. It was not sent again.", code="not_proven")
    return row


def _sent(key: ApiKey, put: Callable[[Session], None]) -> str:
    """Empty when the venue took it; why nobody knows, when the answer was lost. Raises where it certainly did not."""
    try:
        with trading_session(key) as session:
            put(session)
    except (Refused, Throttled) as problem:
        sentence = problem.sentence if isinstance(problem, Refused) else str(problem)
        raise NotAllowed(sentence, code="refused") from problem
    except KrakenError as problem:
        return str(problem)
    return ""


def _read_back(key: ApiKey, symbol: str, lost: str) -> ContractPreference:
    try:
        sync_preferences(key.pk)
    except KrakenError as problem:
        before = lost or "The venue took it."
        reason = f"{before} It could not be read back ({problem}), so what is shown here may be out of date."
        raise NotAllowed(reason, code="not_proven") from problem
    return preference_of(key.account, symbol)


# --- reading


def read_again(account: Account, *, by: User) -> None:
    """What somebody asks for who does not believe what is shown. Raises `NotAllowed` without an answer."""
    key = require_trader(by, account)
    try:
        sync_preferences(key.pk)
        if Position.objects.filter(account=account).exists():
            sync_unwind_ranks(key.pk)
    except (KrakenError, VaultError) as problem:
        raise NotAllowed(f"Not read: {problem}", code="not_read") from problem


def keep_preferences(api_key_id: int) -> None:
    """What a worker reads now and then. Raises `KrakenError`."""
    sync_preferences(api_key_id)
    if _ranks_are_due(ApiKey.objects.usable().get(pk=api_key_id)):
        sync_unwind_ranks(api_key_id)


def sync_preferences(api_key_id: int) -> None:
    """Raises `KrakenError`."""
    key = ApiKey.objects.usable().select_related("account").get(pk=api_key_id)
    with reading(key.account_id, PREFERENCES) as began, session_for(key) as session:
        replace_preferences(key.account_id, session.preferences.all(), at=began)


def replace_preferences(account_id: int, said: Iterable[values.Preference], *, at: datetime) -> None:
    """Store what is chosen, and forget the rest. Nothing where newer news are stored."""
    rows = [
        ContractPreference(
            account_id=account_id,
            symbol=one.symbol,
            max_leverage=one.max_leverage,
            pnl_currency=one.pnl_currency or "",
            unknown=one.unknown,
        )
        for one in said
    ]
    with transaction.atomic():
        if not advance(account_id, PREFERENCES, at):
            return
        ContractPreference.objects.filter(account_id=account_id).exclude(
            symbol__in=[one.symbol for one in rows]
        ).delete()
        ContractPreference.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["account", "symbol"],
            update_fields=["max_leverage", "pnl_currency", "unknown"],
        )


def sync_unwind_ranks(api_key_id: int) -> None:
    """Raises `KrakenError`."""
    key = ApiKey.objects.usable().select_related("account").get(pk=api_key_id)
    with reading(key.account_id, RANKS), session_for(key) as session:
        for one in session.preferences.unwind_ranks():
            Position.objects.filter(account_id=key.account_id, symbol=one.symbol).update(
                unwind_percentile=one.percentile
            )


def _ranks_are_due(key: ApiKey) -> bool:
    """Where something is held, nobody has known for minutes, and the budget is hardly used by anybody."""
    lately = Sync.objects.filter(account=key.account_id, stream=RANKS, ok_at__gt=timezone.now() - RANKS_GOOD_FOR)
    if lately.exists() or not Position.objects.filter(account=key.account_id).exists():
        return False
    left = points_left(key)
    return left is not None and left >= QUIET
