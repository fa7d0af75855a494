"""Columns that many tables share."""

from __future__ import annotations

from typing import Any

from django.db import models


class Quantity(models.DecimalField):  # type: ignore[type-arg]
    """A price, size or amount: 14 places before the point, 20 after, as wide as anything the venue prints."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_digits", 34)
        options.setdefault("decimal_places", 20)
        super().__init__(**options)
