"""Queries and rows whose SQL is worked out once, for what every request and every order asks.

Django works the SQL out anew for every query, which costs several times what SQLite takes to answer it. Here it is
worked out on first use, with markers for the arguments, and only the arguments change from then on. Nothing that the
database said is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators  # type: ignore[attr-defined]

M = TypeVar("M", bound=models.Model)
MARKERS = range(-8_000_000_000_000_001, -8_000_000_000_000_009, -1)  # no id is like them
AGES_AGO = datetime(1583, 1, 1, tzinfo=UTC)
AS_THEY_ARE = frozenset({str, int, bool})
TAKES_AS_IT_IS = frozenset(
    {models.CharField, models.TextField, models.BooleanField, models.PositiveIntegerField, models.BigIntegerField,
     models.ForeignKey}
)  # fmt: skip
Kind = type[int] | type[str] | type[UUID] | type[datetime]


class Prepared(Generic[M]):
    """A queryset with places for arguments of some kinds: `Prepared(lambda user, key: ..., int, str)`.

    Its shape must depend on nothing but the arguments' places, so no empty sets, no clocks, no prefetching.
    """

    def __init__(self, build: Callable[..., models.QuerySet[M]], *kinds: Kind) -> None:
        self._build = build
        self._kinds = kinds or (int,)
        self._plans: dict[str, _Plan] = {}

    def all(self, *arguments: Any) -> list[M]:
        connection = connections[DEFAULT_DB_ALIAS]
        plan = self._plans.get(connection.vendor)
        if plan is None:
            plan = self._plans[connection.vendor] = self._plan()
        return plan.rows(arguments, connection)

    def first(self, *arguments: Any) -> M | None:
        return next(iter(self.all(*arguments)), None)

    def _plan(self) -> _Plan:
        markers = [_marker(number, kind) for number, kind in zip(MARKERS, self._kinds, strict=False)]
        connection = connections[DEFAULT_DB_ALIAS]
        return _Plan(self._build(*markers), [_as_sent(one, connection) for one in markers])


class _Plan:
    """What Django's compiler worked out: the SQL, where arguments go, and how a row becomes an object."""

    def __init__(self, queryset: models.QuerySet[Any], markers: Sequence[Any]) -> None:
        compiler = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        self.sql, parameters = compiler.as_sql()
        self.parameters = list(parameters)
        self.places = [(at, markers.index(one)) for at, one in enumerate(parameters) if one in markers]
        if {which for _, which in self.places} != set(range(len(markers))):
            raise ValueError(f"an argument does not reach the SQL as it is: {self.sql}")
        about = compiler.klass_info
        assert about is not None
        columns = about["select_fields"]
        self.model, self.end = about["model"], columns[-1] + 1
        self.names = [compiler.select[at][0].target.attname for at in columns]
        found = compiler.get_converters([column[0] for column in compiler.select])
        self.converters = [(at, one, column) for at, (each, column) in found.items() for one in each]
        self.related = get_related_populators(about, compiler.select, DEFAULT_DB_ALIAS)

    def rows(self, arguments: Sequence[Any], connection: BaseDatabaseWrapper) -> list[Any]:
        parameters = self.parameters.copy()
        for at, which in self.places:
            parameters[at] = _as_sent(arguments[which], connection)
        return [self._row(row, connection) for row in _asked(connection, self.sql, parameters)[0]]

    def _row(self, columns: Iterable[Any], connection: BaseDatabaseWrapper) -> Any:
        row = list(columns)
        for at, convert, column in self.converters:
            if row[at] is not None:
                row[at] = convert(row[at], column, connection)
        found = self._made(row)
        for populator in self.related:
            populator.populate(row, found)
        return found

    def _made(self, row: list[Any]) -> Any:
        """What `from_db` makes of all columns of a model that listens to no signals, in a quarter of the time."""
        found = self.model.__new__(self.model)
        found.__dict__.update(zip(self.names, row, strict=False))
        found._state = ModelState()
        found._state.adding, found._state.db = False, DEFAULT_DB_ALIAS
        return found


def insert(row: models.Model) -> None:
    """`row.save(force_insert=True)` of a model without signals or parents. A key the database gives stays unknown."""
    connection = connections[DEFAULT_DB_ALIAS]
    sql, fields = _insertion(type(row), connection.vendor)
    values = [_prepared(field, field.pre_save(row, True), connection) for field in fields]
    _asked(connection, sql, values)
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@cache
def _insertion(model: type[models.Model], _vendor: str) -> tuple[str, list[models.Field[Any, Any]]]:
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})", fields  # noqa: S608 - our names


def change(row: models.Model, names: Sequence[str], **expected: Any) -> bool:
    """Write the named columns as the object has them, if the expected ones still are so (none of them may be NULL)."""
    connection = connections[DEFAULT_DB_ALIAS]
    sql, written, compared = _change(type(row), tuple(names), tuple(expected), connection.vendor)
    values = [_prepared(field, getattr(row, field.attname), connection) for field in written]
    for field, value in zip(compared, (row.pk, *expected.values()), strict=True):
        values.append(field.get_db_prep_value(value, connection=connection))
    return bool(_asked(connection, sql, values)[1])


def _asked(connection: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> tuple[list[Any], int]:
    """The rows a statement gives, and how many it touched.

    Django's own cursors rewrite the markers and look for listeners at every statement, which takes longer than SQLite
    does. Where somebody listens (a test that counts, a trace), and on PostgreSQL, it is Django's.
    """
    if connection.vendor != "sqlite" or connection.force_debug_cursor or connection.execute_wrappers:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else [], cursor.rowcount
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        found = connection.connection.execute(_with_question_marks(sql), values)
        return found.fetchall(), found.rowcount


@cache
def _with_question_marks(sql: str) -> str:
    return sql.replace("%s", "?").replace("%%", "%")


@cache
def _change(
    model: type[models.Model], names: tuple[str, ...], expected: tuple[str, ...], _vendor: str
) -> tuple[str, list[models.Field[Any, Any]], list[models.Field[Any, Any]]]:
    by_name: dict[str, models.Field[Any, Any]] = {field.attname: field for field in model._meta.concrete_fields}
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    written = [by_name[name] for name in names]
    compared = [model._meta.pk, *(by_name[name] for name in expected)]
    columns = ", ".join(f"{quote(field.column)} = %s" for field in written)
    condition = " AND ".join(f"{quote(field.column)} = %s" for field in compared)
    return f"UPDATE {quote(model._meta.db_table)} SET {columns} WHERE {condition}", written, compared  # noqa: S608


def _prepared(field: models.Field[Any, Any], value: Any, connection: BaseDatabaseWrapper) -> Any:
    """As the database takes it. Most values are what they should be already, and Django takes long to say so."""
    if value is None or (type(value) in AS_THEY_ARE and type(field) in TAKES_AS_IT_IS):
        return value
    if type(field) is models.DateTimeField and value.tzinfo is UTC and connection.vendor == "sqlite":
        return str(value.replace(tzinfo=None))
    return field.get_db_prep_save(value, connection=connection)


def _marker(number: int, kind: Kind) -> Any:
    if kind is datetime:
        return AGES_AGO + timedelta(microseconds=-number % 1000)
    return UUID(int=-number) if kind is UUID else str(number) if kind is str else number


def _as_sent(value: Any, connection: BaseDatabaseWrapper) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value.hex if isinstance(value, UUID) and not connection.features.has_native_uuid_field else value
