"""What the trade page's script asks for: candles page by page, histories, what is ours, how the page is kept."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import venues
from accounts.models import Account, Desk, User
from krakenfutures.io.derivatives import DerivativesVenue
from tests.krakenfutures.wire import answered, as_json
from tests.trading.furnished import demo_account, furnish, list_instruments
from trading.models import Fill, Workspace

pytestmark = pytest.mark.usefixtures("collected")

FIVE = 300
QUIET = range(1_795_000_000 // FIVE * FIVE, 1_795_000_000 // FIVE * FIVE + 2000 * FIVE)  # nothing traded here
FIRST = QUIET.start - 40 * FIVE  # the first candle there ever was


class ChartWire(requests.adapters.BaseAdapter):
    """Candles on a grid of five minutes, each of its own price, and readings; no more than asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.broken = False

    def send(self, request: Any, **_options: Any) -> requests.Response:
        url = urlsplit(request.url)
        self.asked.append(url.path)
        if self.broken:
            raise requests.ConnectionError
        words = {name: values[0] for name, values in parse_qs(url.query).items()}
        response = answered(
            as_json(self.readings(url.path, words) if "analytics" in url.path else self.candles(words))
        )
        response.request, response.url = request, request.url
        return response

    def close(self) -> None: ...

    def candles(self, words: dict[str, str]) -> dict[str, Any]:
        since, until = max(int(words["from"]), FIRST), int(words.get("to", QUIET.stop + 4000 * FIVE))
        steps = [at for at in range(-(-since // FIVE) * FIVE, until + 1, FIVE) if at not in QUIET]
        kept = steps[-int(words["count"]) :]
        rows = [
            {"time": at * 1000, "open": "1", "high": "3", "low": "1", "close": str(at % 97 + 1), "volume": "2"}
            for at in kept
        ]
        return {"candles": rows, "more_candles": len(kept) < len(steps)}

    def readings(self, path: str, words: dict[str, str]) -> dict[str, Any]:
        steps = list(range(int(words["since"]), int(words["to"]) + 1, int(words["interval"])))
        data: Any = [["5", "7", "4", "6.25"] for _ in steps]
        if path.endswith("funding"):
            data = {"relativeRate": [["0.0000109", "0.00002", "0.00001", "0.000012"] for _ in steps], "rate": data}
        elif path.endswith("future-basis"):
            data = {"basis": ["0.00041" for _ in steps]}
        return {"result": {"timestamp": steps, "data": data, "more": False}, "errors": []}


@pytest.fixture
def charts(monkeypatch: pytest.MonkeyPatch) -> ChartWire:
    wire = ChartWire()
    http = requests.Session()
    http.mount(settings.DEMO_URL, wire)
    monkeypatch.setattr(venues, "DerivativesVenue", partial(DerivativesVenue, http=http))
    monkeypatch.setattr("krakenfutures.io.rest.FIRST_PAUSE", 0.001)
    cache.clear()
    return wire


@pytest.fixture
def signed_in(client: Client, owner: User) -> Client:
    list_instruments()
    client.force_login(owner)
    return client


def asked(client: Client, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_pages_of_candles_meet_without_a_gap_or_a_double(signed_in: Client, charts: ChartWire) -> None:
    address = "/charts/PF_XBTUSD/5m.json?before="
    end = QUIET.stop + 1700 * FIVE
    times: list[int] = []
    for _ in range(8):
        page = asked(signed_in, f"{address}{times[0] if times else end}")
        times = [row[0] for row in page["candles"]] + times
        if page["beginning"]:
            break
    assert page["beginning"]
    assert times == [at for at in range(FIRST, end, FIVE) if at not in QUIET], "also across the quiet time"


def test_what_came_since_is_asked_for_by_its_time(signed_in: Client, charts: ChartWire) -> None:
    page = asked(signed_in, f"/charts/PF_XBTUSD/5m.json?since={QUIET.stop + 3990 * FIVE}")
    assert [row[0] for row in page["candles"]] == [QUIET.stop + step * FIVE for step in range(3990, 4001)]
    assert page["asked_at"] > 1_700_000_000_000


@pytest.mark.parametrize("resolution", ["1m", "5m", "15m", "30m", "1h", "4h", "12h", "1d", "1w"])
def test_every_resolution_of_the_venue_is_there(signed_in: Client, charts: ChartWire, resolution: str) -> None:
    assert asked(signed_in, f"/charts/PF_XBTUSD/{resolution}.json?before={QUIET.stop + 90 * FIVE}")["candles"]
    assert charts.asked[0].endswith(f"/trade/PF_XBTUSD/{resolution}")


@pytest.mark.parametrize("query", ["before=x", "since=-1", "source=guess", "before=123456789012"])
def test_a_strange_wish_for_candles_is_refused(signed_in: Client, charts: ChartWire, query: str) -> None:
    assert signed_in.get(f"/charts/PF_XBTUSD/5m.json?{query}").status_code == 404
    assert charts.asked == []


def test_a_silent_venue_is_said(signed_in: Client, charts: ChartWire) -> None:
    charts.broken = True
    for address in ("/charts/PF_XBTUSD/5m.json", "/charts/PF_XBTUSD/readings/funding.json"):
        answer = signed_in.get(address)
        assert answer.status_code == 503
        assert "did not answer" in answer.json()["message"]
    assert asked(signed_in, "/charts/sparklines.json?symbols=PF_XBTUSD") == {}


@pytest.mark.parametrize(
    ("measure", "last"), [("funding", "0.000012"), ("open_interest", "6.25"), ("premium", "0.00041")]
)
def test_histories_are_told_as_exact_text(signed_in: Client, charts: ChartWire, measure: str, last: str) -> None:
    found = asked(signed_in, f"/charts/PF_XBTUSD/readings/{measure}.json?before=1795000000")["readings"]
    assert len(found) >= 239
    assert found[-1][0] < 1_795_000_000
    assert found[-1][4] == last


def test_a_dated_contract_has_no_funding_and_says_why(signed_in: Client, charts: ChartWire) -> None:
    dated = re.search(rb'data-symbol="(F[FI]_\w+)"', signed_in.get("/markets/").content)
    assert dated
    found = asked(signed_in, f"/charts/{dated[1].decode()}/readings/funding.json")
    assert found == {"readings": [], "message": "A contract with a maturity has no funding."}
    assert charts.asked == []


def test_lines_of_a_day_are_drawn_for_what_is_listed(signed_in: Client, charts: ChartWire) -> None:
    found = asked(signed_in, "/charts/sparklines.json?symbols=PF_XBTUSD,NOTHING,pf_ethusd")
    assert found.keys() == {"PF_XBTUSD", "PF_ETHUSD"}
    asked(signed_in, "/charts/sparklines.json?symbols=PF_XBTUSD")
    assert len(charts.asked) == 2, "kept for a while"
    many = ",".join(f"S{number}" for number in range(21))
    assert signed_in.get(f"/charts/sparklines.json?symbols={many}").status_code == 400


# --- what is ours


@pytest.fixture
def shown(desk: Desk, owner: User) -> Account:
    account = demo_account(desk, owner)
    furnish(account, owner)
    return account


def test_own_orders_position_and_fills_of_one_market(signed_in: Client, shown: Account) -> None:
    found = asked(signed_in, f"/charts/PF_XBTUSD/own.json?of={shown.pk}")
    orders = {one["price"]: one for one in found["orders"]}
    assert orders["63850"]["moves"] == "limit_price"
    assert orders["66400"]["open"] == "0.125", "what has filled is not in the book any more"
    assert found["position"] == {"side": "long", "entry": "64100", "liquidation": "31250.5", "size": "0.25"}
    assert found["fills"]
    assert found["fills"][0][0] > found["fills"][-1][0]
    assert asked(signed_in, f"/charts/PF_XBTUSD/own.json?of={shown.pk}&since=99999999999")["fills"] == []


def test_an_order_that_is_not_proven_cannot_be_dragged(signed_in: Client, shown: Account) -> None:
    (uncertain,) = asked(signed_in, f"/charts/PI_XBTUSD/own.json?of={shown.pk}")["orders"]
    assert (uncertain["status"], uncertain["moves"]) == ("uncertain", "")


def test_a_stranger_is_shown_nothing_of_ours(client: Client, stranger: User, shown: Account) -> None:
    list_instruments()
    client.force_login(stranger)
    assert client.get(f"/charts/PF_XBTUSD/own.json?of={shown.pk}").status_code == 404


# --- how the page is kept


def tell(client: Client, address: str, wish: object) -> Any:
    return client.post(address, json.dumps(wish), content_type="application/json")


def test_sizes_are_kept_with_the_person_and_drawn_from_the_first_frame(signed_in: Client, owner: User) -> None:
    assert tell(signed_in, "/workspace/", {"sizes": {"book": 310, "chart": 99999}, "locked": False}).status_code == 204
    html = signed_in.get("/trade/PF_XBTUSD/").content.decode()
    sheet = re.search(r'href="(/workspace/\w+\.css)"', html)
    assert sheet
    css = signed_in.get(sheet[1])
    assert "--book-size:310px" in css.content.decode()
    assert "--chart-size:1600px" in css.content.decode(), "held within bounds"
    assert "immutable" in css["Cache-Control"]
    assert signed_in.get("/workspace/other.css")["Cache-Control"] == "no-store"


def test_each_preset_has_its_own_sizes_and_can_be_reset(signed_in: Client, owner: User) -> None:
    tell(signed_in, "/workspace/", {"sizes": {"book": 310}})
    signed_in.post("/workspace/", {"preset": "ladder"})
    assert Workspace.objects.get(user=owner).drawn["book"] == 340
    signed_in.post("/workspace/", {"preset": "standard"})
    assert Workspace.objects.get(user=owner).drawn["book"] == 310
    signed_in.post("/workspace/", {"reset": "1"})
    assert Workspace.objects.get(user=owner).drawn["book"] == 250


def test_a_preset_brings_its_own_form_of_the_book(signed_in: Client, owner: User) -> None:
    tell(signed_in, "/workspace/PF_XBTUSD/", {"form": "book", "group": 5})
    signed_in.post("/workspace/", {"preset": "ladder"})
    assert 'data-form="ladder"' in signed_in.get("/trade/PF_XBTUSD/").content.decode()
    assert Workspace.objects.get(user=owner).market("PF_XBTUSD")["group"] == "5"
    tell(signed_in, "/workspace/PF_XBTUSD/", {"form": "book"})
    assert 'data-form="book"' in signed_in.get("/trade/PF_XBTUSD/").content.decode(), "and can be changed again"


@pytest.mark.parametrize(
    "wish",
    [{"preset": "casino"}, {"sizes": {"book": "wide"}}, {"sizes": {"moon": 3}}, {"locked": "no"}, [1], {"x": 1}],
)
def test_what_is_no_wish_is_refused_and_keeps_nothing(signed_in: Client, owner: User, wish: object) -> None:
    answer = tell(signed_in, "/workspace/", wish)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("Not kept")
    assert not Workspace.objects.filter(user=owner).exclude(preset="standard").exists()


def test_choices_are_kept_for_each_instrument_and_each_person(signed_in: Client, owner: User, trader: User) -> None:
    assert tell(signed_in, "/workspace/pf_xbtusd/", {"tape_from": "1.50", "group": 10}).status_code == 204
    assert tell(signed_in, "/workspace/PF_XBTUSD/", {"form": "ladder"}).status_code == 204
    kept = Workspace.objects.get(user=owner)
    assert kept.market("PF_XBTUSD") == {"group": "10", "form": "ladder", "tape_from": "1.5"}
    assert kept.market("PF_ETHUSD") == {"group": "1", "form": "", "tape_from": "0"}
    assert not Workspace.objects.filter(user=trader).exists()
    assert tell(signed_in, "/workspace/PF_XBTUSD/", {"tape_from": "-1"}).status_code == 422
    assert tell(signed_in, "/workspace/PF_XBTUSD/", {"group": 3}).status_code == 422
    assert tell(signed_in, "/workspace/NOTHING/", {"group": 5}).status_code == 404


def test_more_fills_than_are_drawn_is_said(signed_in: Client, desk: Desk, owner: User) -> None:
    account = demo_account(desk, owner)
    furnish(account, owner, fills=0)
    assert asked(signed_in, f"/charts/PF_XBTUSD/own.json?of={account.pk}")["more"] is False
    now = timezone.now()
    rows = (
        Fill(
            account=account, venue_fill_id=str(number), venue_order_id="o", symbol="PF_XBTUSD", side="buy",
            size=Decimal(1), price=Decimal(60000 + number), at=now - timedelta(seconds=number), kind="maker",
        )
        for number in range(501)
    )  # fmt: skip
    Fill.objects.bulk_create(rows)
    found = asked(signed_in, f"/charts/PF_XBTUSD/own.json?of={account.pk}")
    assert found["more"] is True
    assert [fill[2] for fill in (found["fills"][0], found["fills"][-1])] == ["60000", "60499"], "the newest ones"
