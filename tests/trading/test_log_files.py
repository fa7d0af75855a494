"""Kraken's own file of the account log, held against ours: equal, different, on one side only, unreadable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Account, Desk, User
from krakenfutures.funds import LedgerRow
from tests.trading.furnished import demo_account
from trading.actions.keeping import keep_log
from trading.actions.log_files import compare_file, take_file
from trading.models import LogEntry, LogFile

pytestmark = pytest.mark.usefixtures("collected")
START = datetime(2026, 11, 1, 12, 0, 0, 250_000, tzinfo=UTC)
HEADER = (
    "uid,dateTime,account,type,symbol,contract,change,new balance,new average entry price,trade price,mark price,"
    "funding rate,realized pnl,fee,realized funding,collateral,conversion spread percentage,liquidation fee,"
    "position uid,exchange rate,exchange rate from,conversion fee"
)


def line(number: int, *, change: str = "1", new: str = "", **cells: str) -> str:
    known = {
        "uid": f"booking-{number}", "dateTime": f"2026-11-01 12:{number:02d}:00", "account": "cash",
        "type": "cross-exchange transfer", "symbol": "usd", "change": change, "new balance": new or str(number),
    }  # fmt: skip
    row = {**known, **cells}
    return ",".join(row.get(name, "") for name in HEADER.split(","))


@pytest.fixture
def account(desk: Desk, owner: User) -> Account:
    account = demo_account(desk, owner)
    rows = [
        LedgerRow(
            id=number, at=START + timedelta(minutes=number), asset="USD", wallet="cash",
            kind="cross-exchange transfer", old=D(number - 1), new=D(number), booking=f"booking-{number}",
        )
        for number in range(1, 8)
    ]  # fmt: skip
    keep_log(account.pk, rows, proven=True)
    return account


def compared(account: Account, by: User, *lines: str) -> LogFile:
    file = take_file(account, by=by, name="log.csv", lines=[HEADER, *lines])
    compare_file(file.pk)
    return LogFile.objects.get(pk=file.pk)


def test_a_file_that_says_the_same_leaves_nothing_to_look_at(account: Account, owner: User) -> None:
    file = compared(account, owner, *(line(number) for number in range(7, 0, -1)))
    assert (file.state, file.lines, file.equal, file.compared) == ("done", 7, 7, 7)
    assert not file.found.exists()


def test_every_way_of_not_being_equal_is_named_with_its_line(account: Account, owner: User) -> None:
    file = compared(
        account, owner,
        line(1),
        line(2, new="2.5", change="1.5"),
        line(9),
        line(4, change="plenty"),
        "a,b,c",
        line(7, fee="0"),
    )  # fmt: skip
    assert (file.equal, file.different, file.only_there, file.unreadable, file.only_here) == (2, 1, 1, 2, 4)
    found = {one.line: one for one in file.found.exclude(line=None)}
    assert found[3].note == "change: 1.5 in the file, 1 here; new: 2.5 in the file, 2 here"
    assert found[4].state == "only_there"
    assert "'plenty' is not a number" in found[5].note
    assert (found[6].text, found[6].note) == ("a,b,c", "3 cells where the first line has 22")
    assert list(file.found.filter(line=None).values_list("number", flat=True)) == [3, 4, 5, 6]


def test_comparing_twice_counts_once(account: Account, owner: User) -> None:
    file = compared(account, owner, *(line(number) for number in range(1, 8)))
    compare_file(file.pk)
    assert LogFile.objects.get().compared == 7


def test_what_is_not_krakens_file_is_refused_with_what_is_missing(
    client: Client, account: Account, owner: User
) -> None:
    client.force_login(owner)
    for content, said in (
        (b"date,amount\n2026,1\n", "here is no uid, dateTime"),
        (HEADER.encode(), "no entries after its first line"),
        (b"", "here is no uid"),
    ):
        answer = client.post("/history/files/", {"file": SimpleUploadedFile("x.csv", content)})
        assert answer.status_code == 422
        assert said in answer.content.decode()
    assert "Choose the file first" in client.post("/history/files/").content.decode()
    assert not LogFile.objects.exists()


def test_a_file_is_handed_in_and_its_result_read(client: Client, account: Account, owner: User) -> None:
    client.force_login(owner)
    content = "\ufeff" + "\r\n".join([HEADER, line(1), line(2, change="7", new="8")])
    answer = client.post("/history/files/", {"file": SimpleUploadedFile("log.csv", content.encode())})
    file = LogFile.objects.get()
    assert answer.headers["Location"] == f"/history/files/{file.pk}/"
    assert "0 of 2 lines compared" in client.get(f"/history/files/{file.pk}/").content.decode()
    compare_file(file.pk)
    page = client.get(f"/history/files/{file.pk}/").content.decode()
    assert "Not everything is equal" in page
    assert "change: 7 in the file, 1 here" in page
    assert "log.csv" in client.get("/history/files/").content.decode()


def test_nobody_reads_another_desks_files_and_a_viewer_hands_none_in(
    client: Client, account: Account, owner: User, stranger: User, viewer: User
) -> None:
    file = compared(account, owner, line(1))
    client.force_login(stranger)
    assert client.get(f"/history/files/{file.pk}/").status_code == 404
    client.force_login(viewer)
    assert client.get(f"/history/files/{file.pk}/").status_code == 200
    upload = {"file": SimpleUploadedFile("log.csv", f"{HEADER}\n{line(1)}".encode())}
    assert client.post("/history/files/", upload).status_code == 403
    assert LogEntry.objects.count() == 7
