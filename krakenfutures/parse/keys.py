"""What a key may do, as the venue says it."""

from __future__ import annotations

from typing import Any

from krakenfutures.parse.fields import Fields
from krakenfutures.values import KeyFacts, Permission
from krakenfutures.words import PERMISSIONS


def parse_key_check(answer: Any) -> KeyFacts:
    """A permission word we do not know counts as none and is kept as unknown."""
    row = Fields(answer, "the key check")
    permissions = Fields(row.need("permissions"), "the key's permissions")
    general = permissions.word(PERMISSIONS, "general", otherwise=Permission.NONE)
    withdrawal = permissions.word(PERMISSIONS, "transfer", "withdrawal", otherwise=Permission.NONE)
    row.ignore("apiKey", "iiban", "result", "serverTime")
    single = row.text("allowedCidrBlock")
    blocks = tuple(str(block) for block in row.rows("allowedCidrBlocks"))
    return KeyFacts(
        account_uid=row.need_text("accountUid"),
        general=general,
        withdrawal=withdrawal,
        allowed_addresses=blocks or ((single,) if single else ()),
        created_at=row.time("createdAt"),
        unknown={**row.unknown(), **permissions.unknown()},
    )
