"""Where the environments are, and how a stored key becomes a session there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache, partial

from django.conf import settings
from django.utils import timezone

from accounts import vault
from accounts.broker import Broker
from accounts.models import ApiKey, Environment
from krakenfutures.io.derivatives import DerivativesVenue
from krakenfutures.venue import Session, Venue

STAMP_EVERY = timedelta(minutes=1)
RESTED_AFTER = timedelta(minutes=3)  # a stamp, plus the longest use that a stamp can hide, plus the refill


def venue_for(environment: str) -> Venue:
    """One venue a process and address, with one pooled HTTP session under it."""
    return _venue(base_url(environment))


def base_url(environment: str) -> str:
    url = settings.DEMO_URL if environment == Environment.DEMO else settings.PRODUCTION_URL
    return str(url).rstrip("/")


@contextmanager
def session_for(api_key: ApiKey) -> Iterator[Session]:
    """What the key may do, for as long as the call lasts. Open it with no transaction open.

    Raises `VaultError` when the key cannot be opened.
    """
    gate = Broker(api_key.pk, rested=partial(_stamp, api_key))
    with venue_for(api_key.account.environment).session(vault.unseal(api_key), gate) as session:
        yield session


@cache
def _venue(rest_url: str) -> Venue:
    return DerivativesVenue(rest_url=rest_url, socket_url="ws" + rest_url.removeprefix("http") + "/ws/v1")


def _stamp(api_key: ApiKey) -> bool:
    """Note the use, at most once a minute and person. True when it is proven that nobody used the key for minutes.

    Comparing with the stamp we read makes it proof: whoever else began to use the key has changed it.
    """
    now, seen, person = timezone.now(), api_key.last_used_at, api_key.in_hands_of
    purpose = api_key.in_use_for or ("trading" if person else "reading the account")
    another = person is not None and (person.pk, purpose) != (api_key.last_used_by_id, api_key.last_used_for)
    if seen is not None and now - seen < STAMP_EVERY and not another:
        return False
    use: dict[str, object] = {"last_used_at": now}
    if person is not None or seen is None or now - seen > STAMP_EVERY:
        use |= {"last_used_by": person, "last_used_for": purpose}
    stamped = ApiKey.objects.filter(pk=api_key.pk, last_used_at=seen).update(**use)
    api_key.last_used_at = now
    return bool(stamped) and (seen is None or now - seen > RESTED_AFTER)
