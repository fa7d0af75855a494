"""The venue reads signatures exactly as Kraken does: every published vector, and none of the known mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from demovenue.doors.signatures import (
    NonceError,
    Nonces,
    answers_challenge,
    decode_secret,
    is_signed,
    new_pair,
    sign,
    signed_path,
)

VECTORS = json.loads((Path(__file__).parents[1] / "fixtures/kraken/vectors.json").read_text())
REST = {vector["id"]: vector for vector in VECTORS["rest"]}


def _post_data(vector: dict[str, Any]) -> bytes:
    return str(vector["post_data"]).encode()


@pytest.mark.parametrize("name", sorted(REST))
def test_a_vector_is_accepted(name: str) -> None:
    vector = REST[name]
    secret = decode_secret(vector["api_secret"])
    path, nonce = vector["url_path"], vector["nonce"]
    assert signed_path(path) == vector["signed_path"]
    assert sign(secret, post_data=_post_data(vector), nonce=nonce, path=path) == vector["authent"]
    assert is_signed(secret, vector["authent"], post_data=_post_data(vector), nonce=nonce, path=path)


@pytest.mark.parametrize("mistake", VECTORS["rest_negative"], ids=lambda one: one["id"])
def test_a_known_mistake_is_refused(mistake: dict[str, Any]) -> None:
    vector = REST[mistake["derived_from"]]
    secret = decode_secret(vector["api_secret"])
    genuine = {"post_data": _post_data(vector), "nonce": vector["nonce"], "path": vector["url_path"]}
    assert not is_signed(secret, mistake["authent"], **genuine)


@pytest.mark.parametrize("vector", VECTORS["websocket"], ids=lambda one: one["id"])
def test_a_signed_challenge_is_accepted_and_a_changed_one_is_not(vector: dict[str, Any]) -> None:
    secret = decode_secret(vector["api_secret"])
    assert answers_challenge(secret, vector["challenge"], vector["signed_challenge"])
    assert not answers_challenge(secret, vector["challenge"] + "x", vector["signed_challenge"])
    assert not answers_challenge(secret, vector["challenge"], "ü")


def test_a_new_pair_has_krakens_lengths() -> None:
    public, private = new_pair()
    assert (len(public), len(private)) == (56, 88)


def test_nonces_rise_and_never_repeat() -> None:
    nonces = Nonces()
    nonces.use("1795348800123")
    nonces.use("1795348800124")
    with pytest.raises(NonceError, match="nonceDuplicate"):
        nonces.use("1795348800123")


@pytest.mark.parametrize("digits", [13, 16, 17, 18, 19])
def test_a_nonce_may_be_late_by_less_than_ten_seconds_in_any_unit(digits: int) -> None:
    second = 10 ** (digits - 10)
    now = 1_795_348_800 * second
    nonces = Nonces()
    nonces.use(str(now))
    nonces.use(str(now - 9 * second))
    with pytest.raises(NonceError, match="nonceBelowThreshold"):
        nonces.use(str(now - 10 * second))


@pytest.mark.parametrize("text", ["-1", "1.5", "abc", "１２", "9" * 39])
def test_a_nonce_that_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(NonceError, match="nonceBelowThreshold"):
        Nonces().use(text)


def test_a_client_counting_from_one_is_served() -> None:
    nonces = Nonces()
    for value in range(1, 50):
        nonces.use(str(value))
