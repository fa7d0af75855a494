"""Who a session belongs to: allauth's answer, read with less work."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend

from accounts.models import User
from accounts.prepared import Prepared

BY_ID = Prepared(lambda pk: User.objects.filter(pk=pk))


class Backend(AuthenticationBackend):  # type: ignore[misc]
    def get_user(self, user_id: int) -> User | None:
        user = BY_ID.first(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None
