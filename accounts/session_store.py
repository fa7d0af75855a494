"""Sessions as Django keeps them in the database, read with less work: every request reads one.

A session ends when nobody did anything in it for a while, and some days after the last proof of the person whatever
they did. Both stand in its row as the time it ends, which pages and sockets ask for alike.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.prepared import Prepared

BY_KEY = Prepared(lambda key: Session.objects.filter(pk=key), str)
PROOFS = "account_authentication_methods"  # where allauth notes how and when the person was proven


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

    def create_model_instance(self, data: Any) -> AbstractBaseSession:
        made = super().create_model_instance(data)
        made.expire_date = ends_at(data)
        return made


def ends_at(data: SessionBase | dict[str, Any]) -> datetime:
    """Of a session that holds this, if nothing is done in it from now on."""
    idle = timezone.now() + timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    proven = [float(one["at"]) for one in data.get(PROOFS, [])]
    if not proven:
        return idle
    return min(idle, datetime.fromtimestamp(max(proven), UTC) + timedelta(days=settings.SESSION_DAYS))


def keep_awake(session: SessionBase) -> None:
    """Somebody did something in it. Only the row's time is written: what another request writes beside is not lost."""
    Session.objects.filter(pk=session.session_key).update(expire_date=ends_at(session))


@lru_cache(500)
def _opened(session_data: bytes | str) -> bytes:
    """Checked once for as long as it stays the same: what our key has signed, it has signed the next time too."""
    return msgspec.json.encode(db.SessionStore().decode(session_data))
