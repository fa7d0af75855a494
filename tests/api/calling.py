"""A program that calls the API with a token of somebody's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client

from accounts.actions.tokens import make_token
from accounts.models import ApiToken, Desk, User

BOTH = ("read", "trade")
ORDER = {"symbol": "PF_XBTUSD", "side": "buy", "type": "limit", "size": "0.01", "limit_price": "59000"}


class Caller:
    def __init__(self, user: User, desk: Desk, scopes: Iterable[str] = BOTH) -> None:
        self.token, self.text = make_token(desk, of=user, by=user, label="bot", scopes=scopes)
        self.client = Client(raise_request_exception=False)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        given = {"Authorization": f"Bearer {self.text}"} | headers
        address = path if path.startswith("/") else f"/api/v1/{path}"
        content = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.generic(method, address, headers=given, **content)

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def place(self, account: int, key: str | None = None, **changes: Any) -> Any:
        wish = {"account": account, **ORDER, **changes}
        return self.ask("POST", "orders", {k: v for k, v in wish.items() if v is not None},
                        **{"Idempotency-Key": key or str(uuid4())})  # fmt: skip

    def items(self, path: str) -> list[dict[str, Any]]:
        """Every piece of a list, one after the other."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            joint = "&" if "?" in path else "?"
            answer = self.get(f"{path}{joint}cursor={cursor}" if cursor else path)
            assert answer.status_code == 200, answer.content
            piece = answer.json()
            assert set(piece) == {"items", "next"}
            found += piece["items"]
            cursor = piece["next"]
            if cursor is None:
                return found


def assert_problem(answer: HttpResponse, status: int, error: str, field: str | None = None) -> None:
    assert answer.status_code == status, answer.content
    told = json.loads(answer.content)
    assert told["error"] == error, told
    assert told["message"].endswith((".", "json")), told
    assert told.get("field") == field, told
    assert set(told) <= {"error", "message", "field"}


def token_of(user: User) -> ApiToken:
    return ApiToken.objects.get(user=user)
