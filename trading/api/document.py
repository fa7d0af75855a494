"""The OpenAPI document, and our own page of it: ninja's would need inline scripts, which no page of ours may have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.rights import API
from trading.api import shapes as answers
from trading.api.app import api
from trading.api.problems import Problem

ROOT = "/api/v1/"
CONVERTER = re.compile(r"\{\w+:")  # in ninja's addresses, as in {uuid:order_id}
REFUSALS = {
    400: "The body is no JSON.",
    401: "No token, or one that opens nothing.",
    403: "The token lacks the scope, or its owner's role the right.",
    404: "There is no such thing on the token's desk.",
    409: "It cannot be done as things stand: the desk is halted, the key was used for something else …",
    413: "The body is too large.",
    415: "The body is not said to be JSON.",
    422: "It cannot be done as it is written; `field` says what to change. Nothing was done.",
    429: "Too often, or the exchange's own budget is spent. `Retry-After` says when.",
    503: "The exchange, or the desk's own store, could not be asked. Nothing was done.",
}
OF_A_READ = (401, 403, 404, 422, 429)


@cache
def schema() -> dict[str, Any]:
    """What ninja knows of the operations, with every refusal they share."""
    made: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=ROOT))
    made["components"]["schemas"]["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    for path in made["paths"].values():
        for method, operation in path.items():
            codes = OF_A_READ if method == "get" else REFUSALS
            operation["responses"] |= {str(code): _refusal(REFUSALS[code]) for code in codes}
    return made


def _refusal(sentence: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": sentence, "content": content}


@login_not_required
@require_GET
def document(_request: HttpRequest) -> JsonResponse:
    """It describes, and holds nothing of any desk: whoever writes a client may read it."""
    return JsonResponse(schema())


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    context = {"operations": list(operations()), "shapes": list(shapes()), "refusals": REFUSALS.items()}
    context["about"] = api.description
    return render(request, "trading/api_docs.html", context)


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str
    required: bool
    about: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation as the page tells it."""

    method: str
    path: str
    about: str
    scope: str
    right: str
    inputs: tuple[Field, ...]
    answers: tuple[tuple[str, str], ...]  # code, shape


def operations() -> Iterator[Shown]:
    calls = {f"{method} {ROOT}{path}": call for method, path, call in _calls()}
    for path, methods in schema()["paths"].items():
        for method, one in methods.items():
            call = calls[f"{method.upper()} {path}"]
            given = [
                _field(p["name"], p["schema"], required=p.get("required", False)) for p in one.get("parameters", [])
            ]
            body = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            yield Shown(
                method=method.upper(),
                path=path,
                about=one.get("description", ""),
                scope=call.scope.value,
                right=call.right.value,
                inputs=(*given, *(_fields_of(body) if body else ())),
                answers=tuple(_answers(one["responses"])),
            )


@dataclass(frozen=True, slots=True)
class Shape:
    """What an answer is made of."""

    name: str
    about: str
    fields: tuple[Field, ...]


def shapes() -> Iterator[Shape]:
    known = schema()["components"]["schemas"]
    for name in sorted(name for name, one in vars(answers).items() if isinstance(one, type) and name in known):
        fields = tuple(_field(part, one, required=True) for part, one in known[name]["properties"].items())
        yield Shape(name, known[name].get("description", ""), fields)


def _calls() -> Iterator[tuple[str, str, Any]]:
    """Every operation with its address as the document writes it, and its row in the table of rights."""
    for _, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                plain = CONVERTER.sub("{", path).lstrip("/")
                for method in operation.methods:
                    yield method, plain, API[f"{method} {view.url_name}"]


def _answers(responses: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for code, response in responses.items():
        if str(code).startswith("2"):
            yield str(code), _kind(response["content"]["application/json"]["schema"])


def _fields_of(body: dict[str, Any]) -> Iterator[Field]:
    shape = schema()["components"]["schemas"][_name(body)]
    for name, one in shape["properties"].items():
        yield _field(name, one, required=name in shape.get("required", []))


def _field(name: str, one: dict[str, Any], *, required: bool) -> Field:
    about = one.get("description", "")
    return Field(name, _kind(one), required, about)


def _kind(one: dict[str, Any]) -> str:
    """In a few words: `text`, `decimal`, `one of …`, `list of Order`."""
    if "$ref" in one:
        return _name(one)
    if "anyOf" in one:
        return " or ".join(_kind(part) for part in one["anyOf"] if part.get("type") != "null")
    if "enum" in one:
        return f"one of {', '.join(map(str, one['enum']))}"
    if one.get("type") == "array":
        return f"list of {_kind(one['items'])}"
    if r"\d+" in one.get("pattern", "") or r"\d{" in one.get("pattern", ""):
        return "decimal, as text"
    if one.get("format") in {"date-time", "uuid"}:
        return {"date-time": "time", "uuid": "UUID"}[one["format"]]
    return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(one.get("type", ""), "object")


def _name(one: dict[str, Any]) -> str:
    name: str = one["$ref"].rpartition("/")[2]
    return name.replace("_", " of ").removesuffix(" of ") if name.startswith("Piece_") else name
