"""Sessions as Django keeps them in the database, read with less work: every request reads one."""

from __future__ import annotations

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
