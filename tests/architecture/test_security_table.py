"""The table of security controls names code and tests that are there, and a control that holds names both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reference/security.md"
NUMBER = re.compile(r"\d{1,2}\.\d{1,2}\.\d{1,2}")
QUOTED = re.compile(r"`([^`]+)`")


class Row(NamedTuple):
    control: str
    state: str
    said: str
    code: list[str]
    tests: list[str]


def rows() -> list[Row]:
    found = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and NUMBER.match(cells[0]):
            found.append(Row(*cells[:3], QUOTED.findall(cells[3]), QUOTED.findall(cells[4])))
    return found


def test_the_page_is_read() -> None:
    assert len(rows()) > 60
    lines = [line for line in PAGE.read_text().splitlines() if re.match(r"\| \d", line)]
    assert len(lines) == len(rows()), "a row of another shape is read by nobody"


def test_every_file_and_every_test_it_names_exists() -> None:
    for row in rows():
        for path in row.code:
            assert (ROOT / path).exists(), f"{row.control}: {path}"
        for test in row.tests:
            path, _, name = test.partition("::")
            assert (ROOT / path).is_file(), f"{row.control}: {path}"
            assert not name or re.search(rf"def {name}\(", (ROOT / path).read_text()), f"{row.control}: {name}"


def test_what_holds_names_code_and_a_test_and_what_does_not_says_why() -> None:
    for row in rows():
        assert row.state in {"holds", "partly", "no"}, row.control
        if row.state == "holds":
            assert row.code, row.control
            assert row.tests, row.control
        assert len(row.said) > 12, row.control


def test_the_controls_on_several_people_and_on_step_up_are_in_it() -> None:
    for control in ("2.3.5 (L3)", "7.5.3 (L3)"):
        assert any(row.control == control and row.state == "holds" for row in rows()), control
