"""The API held against its own document: made-up calls, right and wrong, get no answer that is not in it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from pytest_django import Settings
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from accounts import vault
from accounts.models import Desk, User
from tests.api.calling import Caller
from tests.trading.desk import PF_XBTUSD, PI_XBTUSD, list_instruments, stored_key
from tests.trading.furnished import furnish, order
from trading.api.document import schema

EXAMPLES = 30  # of each operation, in each mode
CHECKS = [  # an answer 500 is in no document, so the first of them finds it
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
]
NAMES = [one["operationId"] for path in schema()["paths"].values() for one in path.values()]


@pytest.fixture
def known(desk: Desk, owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The document, narrowed to what is there: made-up calls then reach the actions, not only the door."""
    settings.DEMO_URL = "http://127.0.0.1:9"  # nobody listens there
    settings.API_CALLS_PER_MINUTE = 1_000_000
    monkeypatch.setattr("krakenfutures.io.rest.FIRST_PAUSE", 0.001)
    vault.prepare()
    list_instruments(PF_XBTUSD, PI_XBTUSD)
    account = stored_key(desk, owner).account
    furnish(account, owner, positions=2)
    working = order(account, owner)
    document = copy.deepcopy(schema())
    shapes = document["components"]["schemas"]
    for shape in ("OrderWish", "BatchWish", "CancelWish", "MoneyWish"):
        shapes[shape]["properties"]["account"] = {"type": "integer", "enum": [account.pk]}
    for shape in ("OrderWish", "Terms"):
        shapes[shape]["properties"]["symbol"] = {"type": "string", "enum": ["PF_XBTUSD", "PI_XBTUSD"]}
    for one in document["paths"]["/api/v1/orders/{order_id}"].values():
        one["parameters"][0]["schema"] = {"type": "string", "enum": [str(working.pk)]}
    for path in document["paths"].values():
        for one in path.values():
            del one["security"]  # each call carries the token, also where everything else in it is wrong
    signals = (request_started, request_finished)
    for one in signals:  # as Django's own test client does: the test's transaction is to outlive a request
        one.disconnect(close_old_connections)
    yield document
    for one in signals:
        one.connect(close_old_connections)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", NAMES)
def test_an_operation_answers_as_the_document_says(
    known: dict[str, Any], desk: Desk, owner: User, name: str, mode: GenerationMode
) -> None:
    loaded = schemathesis.openapi.from_dict(known)
    loaded.app = get_wsgi_application()
    [operation] = [
        one.ok()
        for one in loaded.get_all_operations()
        if isinstance(one, Ok) and one.ok().definition.raw["operationId"] == name
    ]
    token = Caller(owner, desk).text

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )  # fmt: skip
    def called(case: Any) -> None:
        response = case.call(headers={"Authorization": f"Bearer {token}"})
        case.validate_response(response, checks=CHECKS)

    called()
