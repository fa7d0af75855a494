"""The one router of the API: an address that is read and written is one address."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from ninja import Router

from trading.api.problems import Refusal

router = Router()


def only_known(operation: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that is misspelt and overlooked would answer with what nobody asked for."""

    @wraps(operation)
    def asked(request: HttpRequest, **arguments: Any) -> Any:
        wanted = arguments.get("wanted")
        known = type(wanted).model_fields.keys() if wanted is not None else set()
        if unknown := sorted(request.GET.keys() - known):
            name = unknown[0][:60]
            raise Refusal(422, "invalid", f"This address takes no “{name}”.", field=name)
        return operation(request, **arguments)

    return asked


router.add_decorator(only_known)
