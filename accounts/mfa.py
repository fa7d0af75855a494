"""Second factors as the vault keeps them, and their coming and going as the book tells it."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db.models import Q
from django.http import HttpRequest

from accounts import vault
from accounts.actions.audit import record
from accounts.models import User

PLACES = ("secret", "seed")  # where allauth keeps what must not be read: of an authenticator app, of recovery codes


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Seals what the factors are made of, bound to the person: a row copied to somebody else does not open there."""

    def encrypt(self, text: str) -> str:
        return vault.seal_text(text, place_of(context.request.user.pk))

    def decrypt(self, encrypted_text: str) -> str:
        owners = {row.user_id for row in holding(encrypted_text)}
        if len(owners) != 1:
            raise vault.VaultError("A second factor was copied between people, and opens for none of them.")
        return vault.open_text(encrypted_text, place_of(owners.pop()))

    def get_totp_issuer(self) -> str:
        return "kfweb"


def place_of(user_id: int) -> str:
    return f"mfa_authenticator|user:{user_id}|second factor"


def holding(text: str) -> list[Authenticator]:
    return list(Authenticator.objects.filter(Q(data__secret=text) | Q(data__seed=text)))


def sealed_in(row: Authenticator) -> list[str]:
    return [text for place in PLACES if isinstance(text := row.data.get(place), str)]


def rewrap(row: Authenticator) -> bool:
    """Wrap what the row holds under the newest master key; compares before it sets. False if nothing was to do."""
    fresh: dict[str, Any] = dict(row.data)
    for place in PLACES:
        if isinstance(text := row.data.get(place), str):
            fresh[place] = vault.rewrap_text(text, place_of(row.user_id))
    if fresh == row.data:
        return False
    # What changes meanwhile (a recovery code that is used) is kept: then nothing is set, and the next run does it.
    return bool(Authenticator.objects.filter(pk=row.pk, data=row.data).update(data=fresh))


def note_added(*, request: HttpRequest, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    """Who has just set it up has just proven it: the codes that are shown next need no second proof."""
    record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)
    record(user, "factor.added", user, desk=None, kind=authenticator.type)


def note_removed(*, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    record(user, "factor.removed", user, desk=None, kind=authenticator.type)


def note_reset(*, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    record(user, "factor.codes_made", user, desk=None, kind=authenticator.type)
