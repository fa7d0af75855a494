"""The dead man's switch: the venue cancels every order of the account unless somebody is there to see it renewed.

Renewing only moves the moment, so it may be asked for again; that is why a call without an answer counts as armed.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import Account, ApiKey, User
from accounts.rules import NotAllowed
from accounts.vault import VaultError
from accounts.venues import session_for
from krakenfutures import values
from krakenfutures.errors import KrakenError, Refused, Throttled
from trading.actions.bells import ring
from trading.actions.reaching import require_trader
from trading.models import DeadMan
from trading.publish import announce

log = logging.getLogger(__name__)

SHORTEST, LONGEST = 30, 3600  # seconds
PRESENT = timedelta(seconds=30)  # whoever was there so lately is there
GRACE = timedelta(seconds=2)  # after the moment, before we say that it has fired
OFF = 0


def deadman_of(account: Account) -> DeadMan | None:
    return DeadMan.objects.filter(account=account).select_related("by", "seen_by").first()


def arm(account: Account, *, by: User, seconds: int = 60) -> DeadMan:
    """Arm it, or arm it anew with another time. Raises `NotAllowed` where the venue certainly did not.

    Whoever arms it is there; from then on `be_present` keeps it renewed. Without an answer it counts as armed.
    """
    key = require_trader(by, account)
    if not SHORTEST <= seconds <= LONGEST:
        raise NotAllowed(f"Between {SHORTEST} and {LONGEST} seconds.", field="seconds", code="seconds")
    now = timezone.now()
    before = DeadMan.objects.filter(account=account, is_armed=True).first()
    armed = {
        "is_armed": True, "seconds": seconds, "by": by, "armed_at": now, "tried_at": now, "trouble": "",
        "seen_at": now, "seen_by": by, "fired_at": None, "fires_at": before.fires_at if before else None,
    }  # fmt: skip
    with transaction.atomic():
        row, _ = DeadMan.objects.update_or_create(account=account, defaults=armed)
        record(by, "deadman.armed", account, desk=account.desk, seconds=seconds)
    try:
        _renewed(row, _ask(key, seconds), asked_at=now)
    except (Refused, Throttled, VaultError) as problem:
        _take_back(row, before, now)
        raise NotAllowed(f"It was not armed: {_why(problem)}", code="not_armed") from problem
    except KrakenError as problem:
        _note_trouble(row, problem)
    return _fresh(row)


def _take_back(row: DeadMan, before: DeadMan | None, now: datetime) -> None:
    """The venue certainly did not: what stood before stands again."""
    names = ("is_armed", "seconds", "by", "armed_at", "tried_at", "fires_at")
    stood = {name: getattr(before, name) for name in names} if before else {"is_armed": False, "fires_at": None}
    DeadMan.objects.filter(pk=row.pk, tried_at=now).update(**stood)
    _announce(row.account)


def disarm(account: Account, *, by: User) -> DeadMan:
    """Raises `NotAllowed` where the venue has not confirmed it: then it counts as armed, and is kept renewed."""
    key = require_trader(by, account)
    row = deadman_of(account)
    if row is None or not DeadMan.objects.filter(pk=row.pk, is_armed=True).update(is_armed=False):
        raise NotAllowed("The dead man's switch is not armed.", code="not_armed")
    try:
        _ask(key, OFF)
    except (KrakenError, VaultError) as problem:
        DeadMan.objects.filter(pk=row.pk).update(is_armed=True)
        _note_trouble(row, problem)
        raise NotAllowed(f"It is not proven to be off: {_why(problem)}", code="not_disarmed") from problem
    with transaction.atomic():
        DeadMan.objects.filter(pk=row.pk, is_armed=False).update(fires_at=None, trouble="")
        record(by, "deadman.disarmed", account, desk=account.desk)
    _announce(account)
    return _fresh(row)


def be_present(account: Account, *, by: User) -> DeadMan | None:
    """Somebody who may trade looks at the page now. Called every ten seconds or so; costs the venue nothing."""
    require_trader(by, account)
    DeadMan.objects.filter(account=account, is_armed=True).update(seen_at=timezone.now(), seen_by=by)
    return deadman_of(account)


def sweep_dead_men() -> None:
    """Renew what is due while somebody is there; find out what has fired."""
    for row in DeadMan.objects.filter(is_armed=True).select_related("account__desk"):
        now = timezone.now()
        if _has_fired(row, now):
            _write_down_fired(row)
        elif is_present(row, now) and _is_due(row, now):
            renew(row)


def renew(row: DeadMan) -> None:
    """Move the moment, unless somebody else is at it already. What goes wrong is noted and told."""
    now = timezone.now()
    mine = DeadMan.objects.filter(pk=row.pk, is_armed=True, tried_at=row.tried_at).update(tried_at=now)
    key = ApiKey.objects.usable().select_related("account__desk").filter(account_id=row.account_id).first()
    if not mine:
        return
    if key is None:
        _note_trouble(row, NotAllowed("the account has no key any more"))
        return
    try:
        if not _renewed(row, _ask(key, row.seconds), asked_at=now):
            _ask(key, OFF)  # somebody disarmed it meanwhile: what they were told must stay true
    except (KrakenError, VaultError) as problem:
        _note_trouble(row, problem)


def is_present(row: DeadMan, now: datetime) -> bool:
    return row.seen_at is not None and now - row.seen_at <= PRESENT


def _is_due(row: DeadMan, now: datetime) -> bool:
    """A third of the time has gone, or the last attempt failed."""
    return bool(row.trouble) or now - row.tried_at >= timedelta(seconds=row.seconds / 3)


def _has_fired(row: DeadMan, now: datetime) -> bool:
    """Only what is certain: the last attempt to renew may have moved the moment, even if nobody answered it."""
    return now > row.tried_at + timedelta(seconds=row.seconds) + GRACE


def _write_down_fired(row: DeadMan) -> None:
    """That its time is over is all we know; which orders it cancelled is read from the venue."""
    moment = row.fires_at or row.tried_at + timedelta(seconds=row.seconds)
    with transaction.atomic():
        fired = DeadMan.objects.filter(pk=row.pk, is_armed=True, tried_at=row.tried_at).update(
            is_armed=False, fired_at=moment, trouble=""
        )
        if not fired:
            return
        record(None, "deadman.fired", row.account, desk=row.account.desk, at=moment.isoformat())
        sentence = "The dead man's switch ran out with nobody there: the venue cancels every order of the account."
        announce(row.account_id, "notice", {"type": "desk", "priority": "high", "note": sentence})
        for key in ApiKey.objects.usable().filter(account_id=row.account_id):
            ring("trading.sync_state", key.pk)
    _announce(row.account)


def _ask(key: ApiKey, seconds: int) -> values.DeadMan:
    with session_for(key) as session:
        return session.orders.arm(seconds)


def _renewed(row: DeadMan, said: values.DeadMan, *, asked_at: datetime) -> bool:
    """Write down until when it holds, by our clock: from the asking on, so never later than at the venue.

    False when it has been disarmed since.
    """
    fires_at = asked_at + (said.fires_at - said.at) if said.fires_at else None
    kept = DeadMan.objects.filter(pk=row.pk, is_armed=True).update(fires_at=fires_at, trouble="")
    if kept:
        _announce(row.account)
    return bool(kept)


def _note_trouble(row: DeadMan, problem: Exception) -> None:
    why = _why(problem)[:200]
    first = DeadMan.objects.filter(pk=row.pk, is_armed=True, trouble="").update(trouble=why)
    if not first:
        DeadMan.objects.filter(pk=row.pk, is_armed=True).update(trouble=why)
    log.warning("the dead man's switch of account %s could not be set: %s", row.account_id, why)
    _announce(row.account)
    if first:
        sentence = f"The dead man's switch could not be renewed and may fire: {why}"
        announce(row.account_id, "notice", {"type": "desk", "priority": "high", "note": sentence})


def _why(problem: Exception) -> str:
    return str(getattr(problem, "sentence", None) or problem)


def _fresh(row: DeadMan) -> DeadMan:
    return DeadMan.objects.select_related("by", "seen_by").get(pk=row.pk)


def _announce(account: Account) -> None:
    """What the header counts down."""
    row = deadman_of(account)
    if row is None:
        return
    announce(
        account.pk,
        "deadman",
        {
            "armed": row.is_armed,
            "seconds": row.seconds,
            "fires_at": row.fires_at,
            "by": str(row.by),
            "seen_at": row.seen_at,
            "trouble": row.trouble,
            "fired_at": row.fired_at,
        },
    )
