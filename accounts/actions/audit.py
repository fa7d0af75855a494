"""One line in the book for every write, in the same transaction as the write itself, chained to the one before."""

from __future__ import annotations

import json
from typing import Any

import structlog
from django.db import models, transaction
from django.utils import timezone

from accounts.chain import Link, chain_of
from accounts.models import AuditHead, AuditRow, Desk, User
from accounts.prepared import Prepared, change, insert

MANY = 1_000
HEAD = Prepared(lambda chain: AuditHead.objects.select_for_update().filter(chain=chain), str)

_ends: dict[str, AuditHead] = {}  # where this process left each chain: mostly it still ends there, and is held to it


@transaction.atomic(savepoint=False)
def record(actor: User | None, action: str, about: models.Model | None, *, desk: Desk | None, **details: Any) -> None:
    """Write who did what. Call it inside the transaction that does it; `details` is JSON and holds no secret.

    What was asked for with a token says so: `via` names it (`trading.api.edge`).

    The end of the desk's chain stays locked until that transaction ends, so call it after everything else it locks:
    whoever wants a row of ours while holding the chain would wait for us, and we for them.
    """
    context = structlog.contextvars.get_contextvars()
    if "via" in context:
        details["via"] = context["via"]
    chain = chain_of(desk.pk if desk else None)
    row = AuditRow(
        desk=desk,
        at=timezone.now(),
        actor=actor,
        action=action,
        about=_name(about),
        details=json.loads(json.dumps(details)),  # as it will be read back: the digest covers that
        request_id=str(context.get("request_id", ""))[:40],
    )
    if not _append(row, _ends.get(chain)):
        _append(row, HEAD.first(chain) or _first_head(chain))


def _append(row: AuditRow, head: AuditHead | None) -> bool:
    """Put the row behind the head, if the chain ends there. Changing the head locks it."""
    if head is None:
        return False
    row.number, row.previous = head.number + 1, head.digest
    row.digest = link_of(row).digest_as(row.number, row.previous)
    after = AuditHead(head.chain, row.number, row.digest)
    if not change(after, ("number", "digest"), number=head.number, digest=head.digest):
        return False
    insert(row)
    if len(_ends) >= MANY:
        _ends.clear()
    _ends[head.chain] = after
    return True


def link_of(row: AuditRow) -> Link:
    return Link(
        row.pk or 0, chain_of(row.desk_id), row.number, row.previous, row.digest, row.at, row.actor_id, row.action,
        row.about, row.details, row.request_id,
    )  # fmt: skip


def _first_head(chain: str) -> AuditHead:
    AuditHead.objects.get_or_create(chain=chain)  # whoever was faster has made it
    return AuditHead.objects.select_for_update().get(chain=chain)


def _name(about: models.Model | None) -> str:
    return f"{about._meta.model_name}:{about.pk}" if about is not None else ""
