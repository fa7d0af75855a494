"""API keys: added after a probe, checked again, replaced, retired for good. The secret goes in and never comes out."""

from __future__ import annotations

from functools import partial

import redis
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import vault
from accounts.actions.audit import record
from accounts.actions.probing import Probe, in_plain_words, probe
from accounts.broker import Broker, open_budget
from accounts.hooks import key_added
from accounts.models import Account, ApiKey, Desk, Environment, KeyState, User
from accounts.rights import Right, require
from accounts.rules import NotAllowed, check_typed_key, clock_sentence
from accounts.store import store
from accounts.venues import base_url, session_for, venue_for
from krakenfutures.errors import Refused
from krakenfutures.io import demo
from krakenfutures.values import Permission
from krakenfutures.venue import Credentials

DUPLICATE_ELSEWHERE = "This key cannot be added to this desk. Make a new key at the exchange, for this desk alone."


def add_key(
    desk: Desk, *, by: User, label: str, environment: str, public_key: str, secret: str, demo_email: str = ""
) -> ApiKey:
    """Probe the pair, then store it sealed, with its account if that is new. Raises `NotAllowed`, keeping nothing."""
    require(by, desk, Right.MANAGE_KEYS)
    credentials = Credentials("".join(public_key.split()), "".join(secret.split()))
    label = label.strip()[:60] or "Unnamed key"
    check_typed_key(credentials.key, credentials.secret)
    _require_environment(environment)
    fingerprint = vault.fingerprint(credentials.key)
    _require_new(desk, fingerprint)
    probed = probe(environment, credentials, Broker(f"probe-{fingerprint[:16]}", rested=True))
    if ApiKey.objects.stored().filter(fingerprint=fingerprint).exists():
        raise NotAllowed(DUPLICATE_ELSEWHERE, field="public_key", code="duplicate")
    try:
        with transaction.atomic():
            account = _account(desk, environment, probed.facts.account_uid, label, demo_email)
            api_key = _store(account, by, label, credentials, fingerprint, probed)
            record(by, "key.added", api_key, desk=desk, **_described(api_key))
            transaction.on_commit(partial(key_added, api_key.pk))
    except IntegrityError:  # the same key, or another of the same account, in the same moment
        raise NotAllowed(DUPLICATE_ELSEWHERE, field="public_key", code="duplicate") from None
    return api_key


def try_demo(desk: Desk, *, by: User, intent: str = "") -> ApiKey:
    """Sign up at the demo exchange, make a key there, store it. The same `intent` again returns the first key.

    Raises `NotAllowed`. An account whose key was lost on the way stays behind at the demo exchange, harmless.
    """
    require(by, desk, Right.MANAGE_KEYS)
    _require_environment(Environment.DEMO)
    place = f"kfweb:try_demo:{desk.pk}:{intent}"
    try:
        with store().lock(f"{place}:lock", timeout=60, blocking_timeout=45):
            made = store().get(place) if intent else None
            if made is not None and (first := ApiKey.objects.filter(pk=int(made), account__desk=desk).first()):
                return first
            api_key = _sign_up(desk, by)
            store().set(place, api_key.pk, ex=3600)
            return api_key
    except redis.RedisError as error:
        raise NotAllowed(
            f"The desk's own store does not answer ({type(error).__name__}). See the health page.", code="store"
        ) from None


def check_key(api_key: ApiKey, *, by: User | None = None) -> ApiKey:
    """Ask the venue again, and write down what it says. `by` is empty when a task asks.

    A key the venue refuses becomes failing, with the reason in `trouble`. Raises `NotAllowed` when nobody answers:
    then nothing is changed, because silence proves nothing about the key.
    """
    account = api_key.account
    if by is not None:
        require(by, account.desk, Right.CHECK_KEYS)
    with in_plain_words(account.environment):
        try:
            with session_for(api_key) as session:
                facts = session.account.check()
        except (Refused, vault.VaultError) as problem:
            trouble = problem.sentence if isinstance(problem, Refused) else str(problem)
            return _write_check(api_key, by, state=KeyState.FAILING, trouble=trouble[:200])
        remark = clock_sentence(venue_for(account.environment).clock_skew())
    return _write_check(
        api_key,
        by,
        state=_state(account, facts.withdrawal),
        trouble=_held(account, facts.withdrawal) or remark,
        general=facts.general.value,
        withdrawal=facts.withdrawal.value,
        allowed_addresses=list(facts.allowed_addresses),
    )


def replace_key(old: ApiKey, *, by: User, label: str, public_key: str, secret: str) -> ApiKey:
    """Another pair for the same account: probed, then stored in the transaction that destroys the old one.

    Everything the account has, orders and history and rules, goes on under the new key. Raises `NotAllowed`, and then
    the old key is as it was.
    """
    account = old.account
    require(by, account.desk, Right.MANAGE_KEYS)
    credentials = Credentials("".join(public_key.split()), "".join(secret.split()))
    check_typed_key(credentials.key, credentials.secret)
    fingerprint = vault.fingerprint(credentials.key)
    _require_new(account.desk, fingerprint)
    probed = probe(account.environment, credentials, Broker(f"probe-{fingerprint[:16]}", rested=True))
    if probed.facts.account_uid != account.venue_uid:
        raise NotAllowed(
            f"This key opens another account than “{account.label}”. Add it as a new key instead.",
            field="public_key",
            code="other_account",
        )
    try:
        with transaction.atomic():
            _destroy(old)
            fresh = _store(account, by, label.strip()[:60] or old.label, credentials, fingerprint, probed)
            record(by, "key.replaced", fresh, desk=account.desk, **_described(fresh), replaces=old.hint, was=old.pk)
            transaction.on_commit(partial(key_added, fresh.pk))
    except IntegrityError:  # the same key at another desk, or another of this account in the same moment
        raise NotAllowed(DUPLICATE_ELSEWHERE, field="public_key", code="duplicate") from None
    return fresh


def retire_key(api_key: ApiKey, *, by: User) -> None:
    """Destroy both halves for good; the account and its history stay. Raises `NotAllowed`."""
    require(by, api_key.account.desk, Right.MANAGE_KEYS)
    with transaction.atomic():
        _destroy(api_key)
        record(by, "key.retired", api_key, desk=api_key.account.desk, **_described(api_key))
    api_key.refresh_from_db()


def hold_keys(desk: Desk, *, by: User) -> None:
    """The desk began or ceased to withdraw: hold back, or let go, its keys for real money that may."""
    for key in (
        ApiKey.objects.stored().filter(account__desk=desk, withdrawal=Permission.FULL).select_related("account")
    ):
        key.account.desk = desk
        state = _state(key.account, Permission.FULL)
        if key.account.environment == Environment.PRODUCTION and key.state != state:
            _write_check(key, by, state=state, trouble=_held(key.account, Permission.FULL))


def _destroy(api_key: ApiKey) -> None:
    """Raises `NotAllowed` when somebody was faster."""
    retired = ApiKey.objects.stored().filter(pk=api_key.pk).update(
        state=KeyState.RETIRED, sealed=b"", wrapped_key=b"", master_key_id="", trouble=""
    )  # fmt: skip
    if not retired:
        raise NotAllowed("This key was retired already.", code="retired")


def _state(account: Account, withdrawal: Permission) -> KeyState:
    return KeyState.QUARANTINED if _held(account, withdrawal) else KeyState.ACTIVE


def _held(account: Account, withdrawal: Permission) -> str:
    """Why a key is held back; empty when it is not. Play money needs no such care."""
    if (
        withdrawal != Permission.FULL
        or account.environment != Environment.PRODUCTION
        or account.desk.withdrawals_enabled
    ):
        return ""
    return "Held back: it may withdraw, and this desk does not. Use a key that may not, or let the desk withdraw."


def _require_environment(environment: str) -> None:
    if environment not in Environment.values:
        raise NotAllowed("Choose an environment.", field="environment", code="environment")
    if environment == Environment.DEMO and not settings.DEMO_ENABLED:
        raise NotAllowed("The demo exchange is switched off here (KFWEB_DEMO).", field="environment", code="no_demo")


def _require_new(desk: Desk, fingerprint: str) -> None:
    """Before the probe only the desk's own keys count: typing a public key tells nothing about other desks."""
    known = ApiKey.objects.stored().filter(fingerprint=fingerprint, account__desk=desk).first()
    if known:
        raise NotAllowed(
            f"This key is on this desk already, as “{known.label}”.", field="public_key", code="duplicate"
        )


def _account(desk: Desk, environment: str, venue_uid: str, label: str, demo_email: str) -> Account:
    account, _ = Account.objects.get_or_create(
        desk=desk,
        environment=environment,
        venue_uid=venue_uid,
        defaults={"label": label, "demo_email": demo_email},
    )
    other = account.keys.stored().first()
    if other:
        raise NotAllowed(
            f"This desk reaches the account “{account.label}” with the key “{other.label}” already. "
            "Retire that one first to use this one instead.",
            field="public_key",
            code="account_taken",
        )
    return account


def _store(
    account: Account, by: User, label: str, credentials: Credentials, fingerprint: str, probed: Probe
) -> ApiKey:
    """First the row, for its id, which the seal binds; then the seal. One transaction, so no row stays unsealed."""
    facts = probed.facts
    api_key = ApiKey.objects.create(
        account=account,
        label=label,
        hint=credentials.key[-4:],
        fingerprint=fingerprint,
        general=facts.general.value,
        withdrawal=facts.withdrawal.value,
        allowed_addresses=list(facts.allowed_addresses),
        state=_state(account, facts.withdrawal),
        trouble=_held(account, facts.withdrawal) or probed.remark,
        added_by=by,
        checked_at=timezone.now(),
    )
    vault.seal(api_key, credentials)
    api_key.save(update_fields=["sealed", "wrapped_key", "master_key_id"])
    open_budget(api_key.pk)
    return api_key


def _sign_up(desk: Desk, by: User) -> ApiKey:
    with in_plain_words(Environment.DEMO):
        signed_up = demo.sign_up(base_url(Environment.DEMO))
        pair = demo.create_key(base_url(Environment.DEMO), signed_up, withdrawal=Permission.FULL)
    accounts = Account.objects.filter(desk=desk, environment=Environment.DEMO).count()
    return add_key(
        desk,
        by=by,
        label="Demo" if not accounts else f"Demo {accounts + 1}",
        environment=Environment.DEMO,
        public_key=pair.key,
        secret=pair.secret,
        demo_email=signed_up.email,
    )


def _write_check(api_key: ApiKey, by: User | None, **found: object) -> ApiKey:
    """Never touches a key that was retired meanwhile. The audit trail hears of it only when something changed."""
    before = {name: getattr(api_key, name) for name in found}
    with transaction.atomic():
        written = ApiKey.objects.stored().filter(pk=api_key.pk).update(checked_at=timezone.now(), **found)
        if written and before != found:
            record(by, "key.checked", api_key, desk=api_key.account.desk, **{k: str(v) for k, v in found.items()})
    api_key.refresh_from_db()
    return api_key


def _described(api_key: ApiKey) -> dict[str, str]:
    return {
        "label": api_key.label,
        "hint": api_key.hint,
        "environment": api_key.account.environment,
        "general": api_key.general,
        "withdrawal": api_key.withdrawal,
    }
