"""Leverage and the currency of profits: set once, in the book, read back; and the place in the unwind queue."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from accounts.models import Account, ApiKey, AuditRow, User
from accounts.rules import NotAllowed
from krakenfutures.pnl import CURRENCIES
from krakenfutures.values import Position as Said
from tests.trading.paper import PaperWire
from trading.actions.contract_preferences import keep_preferences, preference_of, set_leverage, set_pnl_currency
from trading.actions.halting import halt
from trading.actions.positions import replace_positions
from trading.models import ContractPreference, Position, Sync

HTMX = {"HX-Request": "true"}
SHEET = "/positions/PF_XBTUSD/preferences/"
pytestmark = pytest.mark.usefixtures("collected")


@pytest.fixture
def held(account: Account) -> Iterator[Account]:
    say_held(account, "0.5")
    yield account


def say_held(account: Account, size: str, **more: D) -> None:
    said = [Said(symbol="PF_XBTUSD", size=D(size), entry=D(50000), **more)]
    assert replace_positions(account.pk, said, at=timezone.now(), source="rest")


def book(account: Account) -> list[tuple[str, str]]:
    rows = AuditRow.objects.filter(desk=account.desk, action__startswith="preference").order_by("pk")
    return [(row.action, row.details.get("status", "")) for row in rows]


def test_a_trader_isolates_a_contract_and_gives_it_back(account: Account, trader: User, wire: PaperWire) -> None:
    assert set_leverage(account, "PF_XBTUSD", by=trader, max_leverage=D("7.5")).max_leverage == D("7.5")
    assert wire.leverages == {"PF_XBTUSD": D("7.5")}
    assert set_leverage(account, "PF_XBTUSD", by=trader, max_leverage=None).max_leverage is None
    assert wire.leverages == {}
    assert book(account) == [("preference.sent", ""), ("preference.answered", "holds")] * 2


def test_profits_are_paid_in_what_was_chosen(account: Account, trader: User, wire: PaperWire) -> None:
    wire.leverages["PF_XBTUSD"] = D(3)
    row = set_pnl_currency(account, "PF_XBTUSD", by=trader, currency="BTC")
    assert (row.pnl_currency, row.max_leverage) == ("BTC", D(3))
    assert wire.pnl_currencies == {"PF_XBTUSD": "BTC"}


def test_a_lost_answer_is_read_back_and_not_sent_again(account: Account, trader: User, wire: PaperWire) -> None:
    wire.lose_writes.add("leveragepreferences")
    assert set_leverage(account, "PF_XBTUSD", by=trader, max_leverage=D(4)).max_leverage == D(4)
    assert wire.written == ["leveragepreferences"]
    wire.lose_writes.clear()
    wire.swallow_writes.add("leveragepreferences")
    with pytest.raises(NotAllowed, match="not sent again"):
        set_leverage(account, "PF_XBTUSD", by=trader, max_leverage=D(9))
    assert preference_of(account, "PF_XBTUSD").max_leverage == D(4)
    assert book(account)[-1] == ("preference.answered", "does not hold")


def test_what_cannot_be_read_back_is_not_claimed(account: Account, trader: User, wire: PaperWire) -> None:
    wire.away = True
    with pytest.raises(NotAllowed, match="out of date"):
        set_leverage(account, "PF_XBTUSD", by=trader, max_leverage=D(4))
    assert not ContractPreference.objects.exists()
    assert book(account) == [("preference.sent", "")]


@pytest.mark.parametrize("cap", ["0", "0.5", "50.1", "1000"])
def test_a_leverage_the_contract_does_not_take_is_not_sent(
    account: Account, trader: User, wire: PaperWire, cap: str
) -> None:
    with pytest.raises(NotAllowed, match="Between 1 and 50"):
        set_leverage(account, "PF_XBTUSD", by=trader, max_leverage=D(cap))
    with pytest.raises(NotAllowed, match="own account"):
        set_leverage(account, "PI_XBTUSD", by=trader, max_leverage=D(5))
    with pytest.raises(NotAllowed, match="One of USD"):
        set_pnl_currency(account, "PF_XBTUSD", by=trader, currency="DOGE")
    assert wire.asked == []
    assert book(account) == []


def test_a_halted_desk_changes_no_leverage(account: Account, trader: User, wire: PaperWire) -> None:
    halt(account.desk, by=trader)
    with pytest.raises(NotAllowed, match="halted"):
        set_leverage(account, "PF_XBTUSD", by=trader, max_leverage=D(5))
    assert wire.asked == []


def test_a_viewer_neither_sees_the_sheet_nor_sets_anything(
    client: Client, account: Account, viewer: User, wire: PaperWire
) -> None:
    client.force_login(viewer)
    assert client.get(SHEET, headers=HTMX).status_code == 403
    assert client.post(SHEET, {"do": "isolate", "max_leverage": "5"}, headers=HTMX).status_code == 403
    with pytest.raises(PermissionDenied):
        set_leverage(account, "PF_XBTUSD", by=viewer, max_leverage=D(5))
    assert wire.asked == []


def test_the_sheet_sets_reads_and_refuses_in_words(
    client: Client, held: Account, trader: User, wire: PaperWire
) -> None:
    client.force_login(trader)
    wire.unwind_ranks["PF_XBTUSD"] = 80
    assert "not asked yet" in client.get(SHEET, headers=HTMX).content.decode()
    html = client.post(SHEET, {"do": "isolate", "max_leverage": "5"}, headers=HTMX).content.decode()
    assert "Isolated, at most 5×" in html and "read back from the exchange" in html
    refused = client.post(SHEET, {"do": "isolate", "max_leverage": "500"}, headers=HTMX)
    assert refused.status_code == 422
    assert 'value="500"' in refused.content.decode() and "Between 1 and 50" in refused.content.decode()
    assert client.post(SHEET, {"do": "isolate", "max_leverage": "much"}, headers=HTMX).status_code == 422
    assert client.post(SHEET, {"do": "nonsense"}, headers=HTMX).status_code == 422
    again = client.post(SHEET, {"do": "again"}, headers=HTMX).content.decode()
    assert "4 of 5, near the front" in again
    assert all(f"<option >{one}</option>" in again for one in CURRENCIES)
    assert client.get("/positions/PF_NOTHING/preferences/").status_code == 404
    assert "no leverage to choose" in client.get("/positions/PI_XBTUSD/preferences/").content.decode()


def test_a_rank_stays_with_its_position_until_the_side_changes(
    held: Account, api_key: ApiKey, wire: PaperWire
) -> None:
    wire.unwind_ranks["PF_XBTUSD"] = 100
    keep_preferences(api_key.pk)
    say_held(held, "0.7")
    assert Position.objects.get().unwind_percentile == 100
    say_held(held, "-0.2")
    assert Position.objects.get().unwind_percentile is None


def test_the_dear_queue_is_asked_for_seldom_and_only_where_something_is_held(
    account: Account, api_key: ApiKey, wire: PaperWire
) -> None:
    keep_preferences(api_key.pk)
    assert wire.count("unwindqueue") == 0
    say_held(account, "0.5")
    keep_preferences(api_key.pk)
    keep_preferences(api_key.pk)
    assert wire.count("unwindqueue") == 1
    assert Sync.objects.get(account=account, stream="preferences").trouble == ""
