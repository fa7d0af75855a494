"""The addresses of the API, of its document, and of the page of it."""

from __future__ import annotations

from django.urls import URLPattern, include, path, re_path

from trading.api import document
from trading.api.app import api
from trading.api.edge import edge, unknown


def _guarded() -> list[URLPattern]:
    found = [one for one in api.urls[0] if isinstance(one, URLPattern) and one.name != "api-root"]
    for one in found:
        one.callback = edge(one.callback)
    return found


urlpatterns = [
    path("", document.page, name="api_docs"),
    path("v1/openapi.json", document.document, name="api_document"),
    path("v1/", include((_guarded(), "api"))),
    re_path(r"^.+", unknown, name="api_unknown"),
]
