"""The trading pages as the server draws them: what they show, to whom, with how many queries, and when things fail."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import redis
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.actions.notices import notify
from accounts.models import Account, ApiKey, Desk, KeyState, Topic, User
from tests.trading.desk import stored_key
from tests.trading.furnished import demo_account, furnish, list_instruments, order
from tests.trading.paper import PaperWire
from trading.models import Favourite, Order, OrderStatus, Position, Sync

HTMX = {"HX-Request": "true"}
LISTS = "figures,positions,orders,fills,wallets,budget"
WORTH = ("33 802.50", "33 852.89", "33 388.43", "22 489.12", "12 500.25", "0.40059701", "0.40035895", "0.00011903")


pytestmark = pytest.mark.usefixtures("collected")


@pytest.fixture
def shown(desk: Desk, owner: User) -> Account:
    """An account with everything in it, on a venue whose instruments and tickers are known."""
    list_instruments()
    account = demo_account(desk, owner)
    furnish(account, owner)
    return account


@pytest.fixture
def as_owner(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def field(html: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', html)
    assert found, name
    return found[1]


# --- the overview


def test_the_overview_shows_every_wallet_to_the_last_digit(as_owner: Client, shown: Account) -> None:
    html = text_of(as_owner, "/").replace("\N{NARROW NO-BREAK SPACE}", " ")
    for figure in WORTH:
        assert figure in html
    for name in ("fi_xbtusd", "fi_ethusd", "Multi-collateral", "Cash"):
        assert name in html


def test_the_overview_shows_positions_orders_and_fills(as_owner: Client, shown: Account) -> None:
    html = text_of(as_owner, "/").replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert html.count("data-position=") == 3
    assert "−12 000" in html
    assert "31 251" in html or "31 250" in html  # the liquidation price, to the tick
    assert html.count("data-order=") == 3
    assert "Uncertain" in html


def test_a_desk_without_an_account_offers_the_demo(as_owner: Client) -> None:
    html = text_of(as_owner, "/")
    assert "Try the demo" in html
    assert "Add a key" in html


def test_an_account_that_was_never_read_says_so(as_owner: Client, desk: Desk, owner: User) -> None:
    demo_account(desk, owner)
    html = text_of(as_owner, "/")
    assert "read for the first time" in html
    assert "No open position" in html


def test_a_failing_key_is_named_and_the_figures_stay(as_owner: Client, shown: Account) -> None:
    ApiKey.objects.filter(account=shown).update(state=KeyState.FAILING, trouble="The exchange does not know this key.")
    html = text_of(as_owner, "/")
    assert "The exchange does not know this key." in html
    assert "Multi-collateral" in html


def test_the_overview_says_what_needs_the_person_and_nothing_when_nothing_does(
    as_owner: Client, shown: Account, owner: User, trader: User
) -> None:
    assert "Needs you" not in text_of(as_owner, "/")
    notify([owner], topic=Topic.ALERT, kind="margin", text="Margin of <Demo one> is at 82 %", level="critical")
    notify([owner], topic=Topic.ALERT, kind="fill", text="A fill, for information", level="info")
    notify([trader], topic=Topic.ALERT, kind="margin", text="Somebody else was told", level="critical")
    html = text_of(as_owner, "/")
    needs = html.split('id="needs-title"')[1].split("</section>")[0]
    assert "Margin of &lt;Demo one&gt; is at 82 %" in needs
    assert "for information" not in needs
    assert "Somebody else" not in html


def test_what_is_old_carries_its_age_and_trouble(as_owner: Client, shown: Account) -> None:
    then = timezone.now() - timedelta(hours=2)
    Sync.objects.filter(account=shown, stream="wallets").update(ok_at=then, trouble="The exchange did not answer.")
    html = text_of(as_owner, "/")
    assert f'data-at="{int(then.timestamp() * 1000)}"' in html
    assert 'data-trouble="The exchange did not answer."' in html


def test_without_a_relay_the_pages_render_without_prices(as_owner: Client, shown: Account) -> None:
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    for address in ("/", "/markets/", "/trade/PF_XBTUSD/"):
        text_of(as_owner, address)


@pytest.mark.parametrize("count", [3, 60])
@pytest.mark.parametrize("address", ["/", "/trade/PF_XBTUSD/", "/markets/"])
def test_a_page_takes_few_queries_however_many_positions(
    as_owner: Client, desk: Desk, owner: User, address: str, count: int, django_assert_max_num_queries: object
) -> None:
    list_instruments()
    furnish(demo_account(desk, owner), owner, positions=count, fills=count)
    assert Position.objects.count() == count
    as_owner.get(address)
    with django_assert_max_num_queries(15):  # type: ignore[operator]
        as_owner.get(address)


# --- parts


def test_parts_are_drawn_from_one_picture(as_owner: Client, shown: Account) -> None:
    html = text_of(as_owner, f"/parts/?want={LISTS}&of={shown.pk}")
    assert re.findall(r'<template data-for="(\w+)"', html) == LISTS.split(",")


def test_parts_belong_to_the_account_the_page_was_opened_on(as_owner: Client, shown: Account, owner: User) -> None:
    other = demo_account(shown.desk, owner, "Second")
    as_owner.get(f"/?account={other.pk}")
    assert "data-position=" in text_of(as_owner, f"/parts/?want=positions&of={shown.pk}")
    assert "data-position=" not in text_of(as_owner, f"/parts/?want=positions&of={other.pk}")


def test_a_stranger_gets_no_part_of_the_account(client: Client, shown: Account, stranger: User) -> None:
    client.force_login(stranger)
    assert client.get(f"/parts/?want=positions&of={shown.pk}").status_code == 404


def test_an_unknown_part_is_not_there(as_owner: Client, shown: Account) -> None:
    assert as_owner.get("/parts/?want=secrets").status_code == 404


# --- markets


def test_markets_list_every_instrument_with_favourites_first(as_owner: Client, shown: Account, owner: User) -> None:
    Favourite.objects.create(user=owner, symbol="PI_LTCUSD")
    html = text_of(as_owner, "/markets/")
    symbols = re.findall(r'<tr data-symbol="([^"]+)"', html)
    assert symbols[0] == "PI_LTCUSD"
    assert len(symbols) > 250


def test_a_star_goes_on_and_off(as_owner: Client, shown: Account, owner: User) -> None:
    for expected in (True, False):
        html = as_owner.post("/markets/PI_LTCUSD/favourite/", headers=HTMX).content.decode()
        assert ('aria-pressed="true"' in html) is expected
        assert Favourite.objects.filter(user=owner).exists() is expected


def test_nobody_stars_what_is_not_listed(as_owner: Client, shown: Account) -> None:
    assert as_owner.post("/markets/PI_NOTHING/favourite/").status_code == 404


# --- the trade page


def test_the_trade_page_opens_where_it_was_left(as_owner: Client, shown: Account) -> None:
    assert as_owner.get("/trade/")["Location"] == "/trade/PF_XBTUSD/"
    as_owner.get("/trade/PI_ETHUSD/")
    assert as_owner.get("/trade/")["Location"] == "/trade/PI_ETHUSD/"


def test_an_unlisted_instrument_is_not_there(as_owner: Client, shown: Account) -> None:
    assert as_owner.get("/trade/PF_NOTHING/").status_code == 404


def test_a_viewer_sees_the_ticket_and_why_it_is_off(client: Client, shown: Account, viewer: User) -> None:
    client.force_login(viewer)
    html = text_of(client, "/trade/PF_XBTUSD/")
    assert "trading is for traders" in html
    assert re.search(r"<button[^>]*disabled[^>]*data-submit", html)


def test_each_ticket_opens_with_an_intent_of_its_own(as_owner: Client, shown: Account) -> None:
    intents = {field(text_of(as_owner, "/trade/PF_XBTUSD/"), "intent") for _ in range(3)}
    assert len(intents) == 3


# --- the ticket


def ticket(account: Account, **changes: str) -> dict[str, str]:
    typed = {"intent": str(uuid4()), "symbol": "PF_XBTUSD", "of": str(account.pk), "side": "buy", "type": "limit"}
    return {**typed, "size": "0.01", "limit_price": "59000", **changes}


def test_an_order_is_placed_and_the_next_ticket_has_a_new_intent(
    as_owner: Client, account: Account, wire: PaperWire
) -> None:
    typed = ticket(account, side="sell")
    answer = as_owner.post("/orders/", typed, headers=HTMX)
    html = answer.content.decode()
    assert "state-open" in html
    assert answer["HX-Trigger"] == "orders-changed"
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#ticket-result", "outerHTML")
    found = re.search(r'data-next-intent="([^"]+)"', html)
    assert found
    assert UUID(found[1]) != UUID(typed["intent"])
    assert "<form" not in html  # the script empties the ticket that is there: Enter on it must not repeat the order
    assert len(wire.orders) == 1


def test_without_the_script_the_whole_page_has_the_result_and_an_empty_ticket(
    as_owner: Client, account: Account, wire: PaperWire
) -> None:
    typed = ticket(account, side="sell")
    html = as_owner.post("/orders/", typed).content.decode()
    assert "state-open" in html
    assert field(html, "intent") != typed["intent"]
    assert re.search(r'name="size" value=""', html)
    assert re.search(r'value="sell" checked', html)
    assert len(wire.orders) == 1


def test_the_same_ticket_twice_is_one_order(as_owner: Client, account: Account, wire: PaperWire) -> None:
    typed = ticket(account)
    for _ in range(3):
        assert "state-open" in as_owner.post("/orders/", typed, headers=HTMX).content.decode()
    assert len(wire.orders) == 1


def test_a_lost_answer_keeps_the_ticket_and_its_intent_also_after_a_reload(
    as_owner: Client, account: Account, wire: PaperWire
) -> None:
    wire.lose.add("sendorder")
    wire.forgetful = wire.hidden = True
    typed = ticket(account)
    html = as_owner.post("/orders/", typed, headers=HTMX).content.decode()
    assert "nothing was sent again" in html
    for page in (html, text_of(as_owner, "/trade/PF_XBTUSD/")):
        assert field(page, "intent") == typed["intent"]
        assert re.search(r"<fieldset disabled>", page)
    assert field(text_of(as_owner, "/trade/PF_XBTUSD/ticket/"), "intent") != typed["intent"]
    assert len(wire.orders) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": "0"}, "zero"),
        ({"size": ""}, "How much?"),
        ({"size": "0,5"}, "Use a point"),
        ({"size": "lots"}, "not a number"),
        ({"limit_price": ""}, "At which price?"),
        ({"limit_price": "59000.4"}, "multiple of 1"),
        ({"size": "0.123456789"}, "multiple of 0.0001"),
        ({"type": "fantasy"}, "Select a valid choice"),
    ],
)
def test_a_mistake_is_told_at_its_field_and_what_was_typed_stays(
    as_owner: Client, account: Account, wire: PaperWire, changes: dict[str, str], words: str
) -> None:
    typed = ticket(account, **changes)
    answer = as_owner.post("/orders/", typed, headers=HTMX)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert words in html
    assert field(html, "size") == typed["size"]
    assert field(html, "intent") == typed["intent"]  # nothing was stored under it
    assert not wire.orders
    assert not Order.objects.exists()


def test_off_the_tick_the_legal_neighbours_are_offered(as_owner: Client, account: Account) -> None:
    html = as_owner.post("/orders/", ticket(account, limit_price="59000.4"), headers=HTMX).content.decode()
    assert re.findall(r'data-fill="limit_price" data-value="([^"]+)"', html) == ["59000", "59001"]


def test_a_refusal_of_the_venue_keeps_what_was_typed_under_a_new_intent(
    as_owner: Client, account: Account, wire: PaperWire
) -> None:
    wire.refuse["sendorder"] = "insufficientAvailableFunds"
    typed = ticket(account)
    html = as_owner.post("/orders/", typed, headers=HTMX).content.decode()
    assert "state-rejected" in html
    assert field(html, "size") == "0.01"
    assert field(html, "intent") != typed["intent"]


def test_without_a_script_the_whole_page_answers(as_owner: Client, account: Account) -> None:
    answer = as_owner.post("/orders/", ticket(account))
    assert "<html" in answer.content.decode()
    assert "state-open" in answer.content.decode()


@pytest.mark.parametrize("person", ["viewer", "stranger"])
def test_who_may_not_trade_places_nothing(
    client: Client, account: Account, wire: PaperWire, person: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(person))
    assert client.post("/orders/", ticket(account), headers=HTMX).status_code in {403, 422}
    assert not wire.orders


def test_a_ticket_goes_to_its_own_account_though_another_tab_chose_another(
    as_owner: Client, account: Account, owner: User, wire: PaperWire
) -> None:
    other = stored_key(account.desk, owner, public="second-half").account
    typed = ticket(account)
    as_owner.get(f"/?account={other.pk}")
    as_owner.post("/orders/", typed, headers=HTMX)
    assert Order.objects.get().account == account


# --- cancelling and editing


def test_an_order_is_cancelled(as_owner: Client, account: Account, wire: PaperWire) -> None:
    as_owner.post("/orders/", ticket(account), headers=HTMX)
    placed = Order.objects.get()
    answer = as_owner.post(f"/orders/{placed.pk}/cancel/", headers=HTMX)
    assert answer["HX-Trigger"] == "orders-changed"
    placed.refresh_from_db()
    assert placed.status == OrderStatus.CANCELLED


def test_a_cancel_whose_answer_is_lost_claims_nothing(as_owner: Client, account: Account, wire: PaperWire) -> None:
    as_owner.post("/orders/", ticket(account), headers=HTMX)
    wire.swallow.add("cancelorder")
    answer = as_owner.post(f"/orders/{Order.objects.get().pk}/cancel/", headers=HTMX)
    assert "Not proven cancelled" in answer.content.decode()


@pytest.mark.parametrize("what", ["", "cancel/", "edit/"])
def test_a_stranger_cannot_touch_the_desks_order(
    client: Client, shown: Account, owner: User, stranger: User, what: str
) -> None:
    client.force_login(stranger)
    address = f"/orders/{order(shown, owner).pk}/{what}"
    assert (client.post if what == "cancel/" else client.get)(address).status_code == 404


def test_a_viewer_cancels_nothing(client: Client, shown: Account, owner: User, viewer: User) -> None:
    client.force_login(viewer)
    placed = order(shown, owner)
    assert client.post(f"/orders/{placed.pk}/cancel/", headers=HTMX).status_code == 403
    placed.refresh_from_db()
    assert placed.status == OrderStatus.OPEN


def test_an_edit_off_the_tick_is_told_in_the_sheet(as_owner: Client, account: Account, wire: PaperWire) -> None:
    as_owner.post("/orders/", ticket(account), headers=HTMX)
    address = f"/orders/{Order.objects.get().pk}/edit/"
    assert field(text_of(as_owner, address), "limit_price") == "59000"
    answer = as_owner.post(address, {"size": "0.01", "limit_price": "58000.5"}, headers=HTMX)
    assert answer.status_code == 422
    assert 'data-value="58000"' in answer.content.decode()


# --- charts


def test_a_chart_of_a_venue_that_is_away_says_so(as_owner: Client, account: Account, wire: PaperWire) -> None:
    wire.away = True
    answer = as_owner.get("/charts/PF_XBTUSD/5m.json")
    assert answer.status_code == 503
    assert "did not answer" in json.loads(answer.content)["message"]


@pytest.mark.parametrize("address", ["/charts/PF_NOTHING/5m.json", "/charts/PF_XBTUSD/7m.json"])
def test_a_chart_that_cannot_be_is_not_there(as_owner: Client, account: Account, address: str) -> None:
    assert as_owner.get(address).status_code == 404


# --- doors


@pytest.mark.parametrize("address", ["/", "/markets/", "/trade/PF_X/", "/parts/?want=orders", "/charts/PF_X/5m.json"])
def test_whoever_is_not_signed_in_is_sent_to_sign_in(client: Client, db: None, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/")


def test_preferences_are_kept_and_lead_nowhere_else(as_owner: Client, owner: User) -> None:
    look = {"theme": "light", "results": "red-up", "density": "compact"}
    answer = as_owner.post("/preferences/", {**look, "next": "https://elsewhere.test/"})
    assert answer["Location"] == "/"
    owner.refresh_from_db()
    assert {name: getattr(owner, name) for name in look} == look
    html = text_of(as_owner, "/")
    assert 'data-theme="light" data-results="red-up" data-density="compact"' in html
    as_owner.post("/preferences/", {"results": "invisible"})
    owner.refresh_from_db()
    assert owner.results == "red-up"


def test_no_page_allows_inline_script_or_style(as_owner: Client, shown: Account) -> None:
    policy = as_owner.get("/")["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";"
    assert "unsafe" not in policy
