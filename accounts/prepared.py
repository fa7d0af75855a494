"""Queries and rows whose SQL is worked out once, for what every request and every order asks.

Django works the SQL out anew for every query, which costs several times what SQLite takes to answer it. Here it is
worked out on first use, with markers for the arguments, and only the arguments change from then on. Nothing that the
database said is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.query import get_related_populators  # type: ignore[attr-defined]

M = TypeVar("M", bound=models.Model)
MARKERS = (-8_000_000_000_000_001, -8_000_000_000_000_002, -8_000_000_000_000_003)  # no id is like them


class Prepared(Generic[M]):
    """A queryset with places for ids (or text, where `text` says so): `Prepared(lambda user: ...)`.

    Its shape must depend on nothing but the arguments' places, so no sliced or empty sets, no clocks, no prefetching.
    """

    def __init__(self, build: Callable[..., models.QuerySet[M]], *, places: int = 1, text: bool = False) -> None:
        self._build = build
        self._markers: Sequence[Any] = [str(one) if text else one for one in MARKERS[:places]]
        self._plans: dict[str, _Plan] = {}

    def all(self, *arguments: Any) -> list[M]:
        plan = self._plans.get(connection.vendor) or self._plan()
        return plan.rows(arguments)

    def first(self, *arguments: Any) -> M | None:
        return next(iter(self.all(*arguments)), None)

    def _plan(self) -> _Plan:
        plan = _Plan(self._build(*self._markers), self._markers)
        self._plans[connection.vendor] = plan
        return plan


class _Plan:
    """What Django's compiler worked out: the SQL, where arguments go, and how a row becomes an object."""

    def __init__(self, queryset: models.QuerySet[Any], markers: Sequence[Any]) -> None:
        compiler = queryset.query.get_compiler(using="default")
        self.sql, parameters = compiler.as_sql()
        self.parameters = list(parameters)
        self.places = [(at, markers.index(one)) for at, one in enumerate(parameters) if _is_marker(one, markers)]
        if {which for _, which in self.places} != set(range(len(markers))):
            raise ValueError(f"an argument does not reach the SQL as it is: {self.sql}")
        about = compiler.klass_info
        assert about is not None
        columns = about["select_fields"]
        self.model, self.end = about["model"], columns[-1] + 1
        self.names = [compiler.select[at][0].target.attname for at in columns]
        self.converters = compiler.get_converters([column[0] for column in compiler.select])
        self.related = get_related_populators(about, compiler.select, "default")

    def rows(self, arguments: Sequence[Any]) -> list[Any]:
        parameters = self.parameters.copy()
        for at, which in self.places:
            parameters[at] = arguments[which]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, parameters)
            return [self._row(row) for row in cursor.fetchall()]

    def _row(self, columns: Iterable[Any]) -> Any:
        row = list(columns)
        for at, (converters, expression) in self.converters.items():
            for converter in converters:
                row[at] = converter(row[at], expression, connection)
        found = self.model.from_db("default", self.names, row[: self.end])
        for populator in self.related:
            populator.populate(row, found)
        return found


def insert(row: models.Model) -> None:
    """`row.save(force_insert=True)` of a model without signals or parents. A key the database gives stays unknown."""
    sql, fields = _insertion(type(row), connection.vendor)
    values = [field.get_db_prep_save(field.pre_save(row, True), connection=connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
    row._state.adding, row._state.db = False, "default"


@cache
def _insertion(model: type[models.Model], _vendor: str) -> tuple[str, list[models.Field[Any, Any]]]:
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})", fields  # noqa: S608 - our names


def _is_marker(value: Any, markers: Sequence[Any]) -> bool:
    return type(value) is type(markers[0]) and value in markers
