"""Which key reaches the venue for an account, and the desk's own words for what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from accounts.models import Account, ApiKey, User
from accounts.prepared import Prepared
from accounts.rights import Right, require
from accounts.rules import NotAllowed
from accounts.vault import VaultError
from accounts.venues import session_for
from krakenfutures.venue import Session

USABLE = Prepared(lambda account: ApiKey.objects.usable().filter(account=account))


def require_trader(by: User, account: Account) -> ApiKey:
    """The key to trade the account with. Raises `NoRight` for whoever may not, `NotAllowed` without such a key."""
    require(by, account.desk, Right.TRADE)
    key = USABLE.first(account.pk)
    if key is None:
        raise NotAllowed("This account has no key. Add one under Keys.", code="no_key")
    if not key.may_trade:
        raise NotAllowed("The key of this account may read but not trade.", code="read_only_key")
    key.account = account  # known already: no query
    key.in_hands_of = by
    return key


@contextmanager
def trading_session(key: ApiKey) -> Iterator[Session]:
    """`session_for`, with a key that cannot be opened told as `NotAllowed`."""
    try:
        with session_for(key) as session:
            yield session
    except VaultError as problem:
        raise NotAllowed(f"The stored key cannot be opened: {problem}", code="vault") from problem
