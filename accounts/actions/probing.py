"""Asking a venue what a key may do, and saying in plain words why it cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings

from accounts.broker import StoreAway
from accounts.models import Environment
from accounts.rules import NotAllowed, clock_sentence
from accounts.venues import base_url, venue_for
from krakenfutures.errors import Refused, Throttled, Unreachable, Unreadable
from krakenfutures.values import KeyFacts, Permission
from krakenfutures.venue import Credentials, Gate

NOT_ACCEPTED = {"authenticationError", "invalidSecret"}
COUNTED_AHEAD = {"nonceBelowThreshold", "nonceDuplicate"}


@dataclass(frozen=True, slots=True)
class Probe:
    """A key that works: what it may do, and what is worth a word all the same."""

    facts: KeyFacts
    remark: str = ""


def probe(environment: str, credentials: Credentials, gate: Gate) -> Probe:
    """Check the key and read the wallets with it. Raises `NotAllowed` with a code and a sentence of its own each."""
    venue = venue_for(environment)
    with in_plain_words(environment):
        try:
            with venue.session(credentials, gate) as session:
                facts = session.account.check()
                if facts.general is not Permission.NONE:
                    session.account.wallets()  # the proof that it reads: the check alone is another service's word
        except Refused as refused:
            if refused.code in NOT_ACCEPTED and _works_on_demo(environment, credentials, gate):
                raise NotAllowed("This key belongs to the demo exchange. Choose Demo as its environment.",
                                 field="environment", code="wrong_environment") from None  # fmt: skip
            raise
        if facts.general is Permission.NONE:
            raise NotAllowed(
                "This key may not read the account. Make one with general permission: read only, or full to trade.",
                field="public_key",
                code="no_permission",
            )
        return Probe(facts, clock_sentence(venue.clock_skew()))


@contextmanager
def in_plain_words(environment: str) -> Iterator[None]:
    """Turns the error tree into `NotAllowed`: nothing was stored, and each trouble has a sentence and a code."""
    name = f"{'The demo exchange' if environment == Environment.DEMO else 'Kraken'} ({base_url(environment)})"
    try:
        yield
    except Refused as refused:
        raise _refusal(refused, name, environment) from None
    except Unreachable:
        raise NotAllowed(
            f"{name} does not answer, so the key could not be tried and was not stored. Try again in a moment.",
            code="unreachable",
        ) from None
    except StoreAway as away:
        raise NotAllowed(str(away), code="store") from None
    except Throttled as throttled:
        raise NotAllowed(
            f"{name} asks for patience: too many requests. Try again in {max(1, round(throttled.retry_after))} s.",
            code="throttled",
        ) from None
    except Unreadable:
        raise NotAllowed(
            f"{name} answered something this desk does not understand. Is it really that exchange?", code="unreadable"
        ) from None


def _refusal(refused: Refused, name: str, environment: str) -> NotAllowed:
    if refused.code in NOT_ACCEPTED:
        other = "Kraken itself" if environment == Environment.DEMO else "the spot exchange or the demo exchange"
        return NotAllowed(
            f"{name} does not accept this pair. The private key does not belong to the public key, or the key was "
            f"deleted, is limited to other addresses, or belongs to {other}.",
            field="secret",
            code="wrong_secret",
        )
    if refused.code in COUNTED_AHEAD:
        return NotAllowed(
            "Another program uses this key and counts ahead of this desk. Make a key for this desk alone.",
            field="public_key",
            code="nonce",
        )
    return NotAllowed(f"{name} refused: {refused.sentence}", code="refused")


def _works_on_demo(environment: str, credentials: Credentials, gate: Gate) -> bool:
    """Asked only of our own demo exchange: a demo key is never shown to Kraken."""
    if environment == Environment.DEMO or not settings.DEMO_ENABLED:
        return False
    try:
        with venue_for(Environment.DEMO).session(credentials, gate) as session:
            session.account.check()
    except (Refused, Unreachable, Throttled, Unreadable):
        return False
    return True
