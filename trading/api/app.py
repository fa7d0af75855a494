"""The API itself, put together. Ninja's own pages stay off: they want inline scripts."""

from __future__ import annotations

from ninja import NinjaAPI
from ninja.operation import Operation

from trading.api import reads, writes
from trading.api.edge import TokenAuth
from trading.api.problems import handle_with
from trading.api.router import router

__all__ = ["api", "reads", "writes"]  # importing the two fills the router

INTRODUCTION = (
    "One desk, as the person sees it who made the token. Decimals are text, times ISO 8601 in UTC. Every refusal is"
    ' `{"error": CODE, "message": SENTENCE, "field"?: NAME}`. Lists answer `{"items", "next"}`; `next` goes into'
    " `cursor`."
)


class Api(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


api = Api(
    title="kfweb", version="1", description=INTRODUCTION, auth=TokenAuth(), openapi_url=None, docs_url=None,
    urls_namespace="api",
)  # fmt: skip
api.add_router("", router)
handle_with(api)
