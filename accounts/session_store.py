"""Sessions as Django keeps them in the database, read with less work: every request reads one."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.prepared import Prepared

BY_KEY = Prepared(lambda key: Session.objects.filter(pk=key), str)


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        found = BY_KEY.first(self.session_key) if self.session_key else None
        if found is None or found.expire_date <= timezone.now():
            self._session_key = None
            return None
        return found

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(_opened(session_data))
        return found


@lru_cache(500)
def _opened(session_data: bytes | str) -> bytes:
    """Checked once for as long as it stays the same: what our key has signed, it has signed the next time too."""
    return msgspec.json.encode(db.SessionStore().decode(session_data))
