"""Columns that many tables share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models

from krakenfutures.numbers import plain


class Quantity(models.DecimalField):  # type: ignore[type-arg]
    """A price, size or amount, kept to the last digit it came with.

    PostgreSQL keeps it as `numeric`. SQLite has no exact decimal (its "decimal" columns hold 15 digits, and venues
    print more), so there it is plain text: equal texts are equal numbers and the sign compares as it should, but
    sizes are compared and added up in Python, never in a query.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_digits", 60)
        options.setdefault("decimal_places", 30)
        super().__init__(**options)

    def get_internal_type(self) -> str:
        return "Quantity"  # no database knows it, so none converts it behind our back

    def db_type(self, connection: Any) -> str:
        return "numeric" if connection.vendor == "postgresql" else "text"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return self.get_db_prep_save(value, connection)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None or hasattr(value, "as_sql"):
            return value
        text = plain(self.to_python(value))
        return Decimal(text) if connection.vendor == "postgresql" else text

    def from_db_value(self, value: Any, _expression: object, _connection: object) -> Decimal | None:
        return None if value is None else Decimal(value)
