"""Transactions that are on the disk before they return, for what may never be done a second time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, transaction


@contextmanager
def durable_transaction() -> Iterator[None]:
    """`transaction.atomic` that also outlives a power cut, on SQLite too; PostgreSQL is asked for nothing more.

    Inside another transaction it is a part of that one, and as durable as that. docs/decisions/durability.md says why.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    _flush("FULL")
    try:
        with transaction.atomic():
            yield
    finally:
        _flush("NORMAL")  # as in the settings


def _flush(level: str) -> None:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(f"PRAGMA synchronous={level}")
