from __future__ import annotations

import json

import pytest

from krakenfutures.signing import BadSecret, authent, signed_challenge, signed_path
from tests.krakenfutures.wire import FIXTURES, SECRET

VECTORS = json.loads((FIXTURES / "vectors.json").read_text())
BY_ID = {vector["id"]: vector for vector in VECTORS["rest"]}


def ids(kind: str) -> list[str]:
    return [vector["id"] for vector in VECTORS[kind]]


@pytest.mark.parametrize("vector", VECTORS["rest"], ids=ids("rest"))
def test_a_request_is_signed_as_the_vector_says(vector):
    # Legacy vectors hash the text before it was encoded: the same sum over other words.
    words = vector["post_data"] if vector.get("legacy") else vector["query"] + vector["body"]

    assert signed_path(vector["url_path"]) == vector["signed_path"]
    assert (
        authent(vector["api_secret"], url_path=vector["url_path"], post_data=words, nonce=vector["nonce"])
        == vector["authent"]
    )


@pytest.mark.parametrize("vector", VECTORS["rest_negative"], ids=ids("rest_negative"))
def test_a_mistake_gives_another_signature(vector):
    right = BY_ID[vector["derived_from"]]

    ours = authent(right["api_secret"], url_path=right["url_path"], post_data="", nonce=right["nonce"])

    assert ours != vector["authent"]
    assert ours == right["authent"]


def test_each_documented_mistake_is_the_one_we_do_not_make():
    """The negative vectors come out exactly when the mistake is made by hand."""
    mistakes = {vector["id"]: vector["authent"] for vector in VECTORS["rest_negative"]}
    nonce = "1795348800123"

    assert authent(SECRET, url_path="/api/v3/accounts") == mistakes["neg-nonce-not-hashed"]
    assert authent(SECRET, url_path="/api/v3/accounts/", nonce=nonce) == mistakes["neg-trailing-slash"]
    kept_prefix = authent(SECRET, url_path="/derivatives/derivatives/api/v3/accounts", nonce=nonce)
    assert kept_prefix == mistakes["neg-derivatives-prefix"]


@pytest.mark.parametrize("vector", VECTORS["websocket"], ids=ids("websocket"))
def test_a_challenge_is_signed_as_the_vector_says(vector):
    assert signed_challenge(vector["api_secret"], vector["challenge"]) == vector["signed_challenge"]


@pytest.mark.parametrize("secret", ["", "   ", "not base64!", "ä" * 40, "abcde"])
def test_a_secret_that_is_not_base64_is_refused_without_being_repeated(secret):
    with pytest.raises(BadSecret) as refusal:
        authent(secret, url_path="/derivatives/api/v3/accounts")

    assert not secret.strip() or secret not in str(refusal.value)
    assert refusal.value.__cause__ is None
