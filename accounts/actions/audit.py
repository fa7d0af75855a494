"""One line in the book for every write, in the same transaction as the write itself."""

from __future__ import annotations

from typing import Any

import structlog
from django.db import models

from accounts.models import AuditRow, Desk, User


def record(actor: User | None, action: str, about: models.Model | None, *, desk: Desk | None, **details: Any) -> None:
    """Write who did what. Call it inside the transaction that does it; `details` is JSON and holds no secret."""
    AuditRow.objects.create(
        desk=desk,
        actor=actor,
        action=action,
        about=_name(about),
        details=details,
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", ""))[:40],
    )


def _name(about: models.Model | None) -> str:
    return f"{about._meta.model_name}:{about.pk}" if about is not None else ""
