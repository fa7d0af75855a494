"""Nothing secret reaches a log, whatever its name or shape."""

from __future__ import annotations

import base64
import json
import logging
import secrets

import pytest
import structlog

from kfweb.logs import HIDDEN, redact


def test_values_whose_name_says_secret_are_hidden() -> None:
    event = {"event": "asked", "api_secret": "s", "Authent": "x", "details": {"password": "p", "size": "1"}}
    assert redact(None, "info", event) == {
        "event": "asked",
        "api_secret": HIDDEN,
        "Authent": HIDDEN,
        "details": {"password": HIDDEN, "size": "1"},
    }


def test_a_key_inside_a_text_is_hidden() -> None:
    secret = base64.b64encode(secrets.token_bytes(64)).decode()
    cleaned = redact(None, "info", {"event": f"posting with {secret}", "list": [secret]})
    assert secret not in json.dumps(cleaned)


def test_an_exception_that_carries_a_key_is_hidden_too(capsys: pytest.CaptureFixture[str]) -> None:
    secret = base64.b64encode(secrets.token_bytes(64)).decode()
    handler = logging.StreamHandler()
    handler.setFormatter(logging.getLogger().handlers[0].formatter)
    logger = logging.getLogger("kfweb.test")
    logger.addHandler(handler)
    try:
        raise ValueError(f"bad key {secret}")
    except ValueError:
        structlog.get_logger("kfweb.test").exception("could not ask")
        logging.getLogger("kfweb.test").exception("could not ask either")
    finally:
        logger.removeHandler(handler)
    said = capsys.readouterr().err
    assert "could not ask either" in said
    assert secret not in said
