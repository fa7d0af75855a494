"""Which passwords are refused, beside the short ones, and which are not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from pytest_django import Settings

from accounts.models import User

TOM = User(email="tom.miller@example.test")


def refusal(password: str) -> str:
    with pytest.raises(ValidationError) as refused:
        validate_password(password, TOM)
    return " ".join(refused.value.messages)


@pytest.mark.parametrize(
    "password", ["Password123456!", "letmeinletmein", "dr4g0nm0nk3y", "!!sunshine2026!!", "Qwertyuiop123"]
)
def test_a_common_one_with_something_around_it_is_refused(password: str) -> None:
    assert "common password" in refusal(password)


@pytest.mark.parametrize("password", ["KrakenFutures2026!", "kfweb-tr4ding-2026", "miller.kraken.77"])
def test_what_the_place_and_the_person_are_called_is_refused(password: str) -> None:
    assert "would try these words first" in refusal(password)


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "kraken under a paper moon", "x7#Lq9!vR2@mZ", "ein ziemlich langer Satz", "ç" * 12],
)
def test_a_long_one_of_its_own_is_taken(password: str) -> None:
    validate_password(password, TOM)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_what_was_in_a_breach_is_refused_wherever_it_stands_in_the_file(
    settings: Settings, tmp_path: Path, size: int
) -> None:
    known = [f"a sentence that leaked, number {number}" for number in range(size)]
    digests = sorted(hashlib.sha1(one.encode()).hexdigest().upper() for one in known)
    file = tmp_path / "breached"
    file.write_text("".join(f"{one}:{number * 7919}\r\n" for number, one in enumerate(digests)))
    settings.BREACHED_PASSWORDS = str(file)
    for one in known:
        assert "in a breach" in refusal(one)
    for number in range(50):
        validate_password(f"a sentence that nobody leaked, number {number}", TOM)


def test_a_list_that_is_named_and_not_there_lets_nobody_pass(settings: Settings, tmp_path: Path) -> None:
    settings.BREACHED_PASSWORDS = str(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        validate_password("a sentence of my own", TOM)
