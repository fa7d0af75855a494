"""Our own rules: who may do what, the refusal that says why not, and what a key may do in plain words."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from krakenfutures.values import Permission

CLOCKS_AGREE = 5.0  # seconds two clocks may differ before it is worth a word
PUBLIC_LENGTH, SECRET_LENGTH = 56, 88  # of the keys Kraken hands out today: a hint, never a rule


class NotAllowed(Exception):
    """A rule of ours says no. `reason` is a sentence for the person; `field` names the input to blame, if any."""

    def __init__(self, reason: str, *, field: str | None = None, code: str = "not_allowed") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field
        self.code = code


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing a key may or may not do. `level` is "yes", "no" or "warning"."""

    level: str
    sentence: str


def key_facts(general: str, withdrawal: str, addresses: Sequence[str], *, play_money: bool) -> Iterator[Fact]:
    """What a key may do, in plain words, the most useful first."""
    if general == Permission.FULL:
        yield Fact("yes", "May place, change and cancel orders.")
    elif general == Permission.READ:
        yield Fact("no", "May read only: it places no orders, so the order buttons are off.")
    if general == Permission.NONE:
        yield Fact("no", "May not even read the account.")
    else:
        yield Fact("yes", "May read balances, positions, orders and fills.")
    if withdrawal == Permission.NONE:
        yield Fact("no", "May not take money out.")
    elif play_money:
        yield Fact("yes", "May take (play) money out to the owner's spot wallet.")
    else:
        yield Fact(
            "warning",
            "May take money out to the owner's spot wallet. A desk that only trades is safer with a key that may not.",
        )
    if addresses:
        yield Fact("yes", f"Works only from {', '.join(addresses)}.")
    elif not play_money:
        yield Fact("warning", "Works from any address. The exchange can limit it to this machine's; that is wise.")


def clock_sentence(skew: float) -> str:
    """`skew` is the venue's clock minus ours, in seconds. Empty when the clocks agree well enough."""
    if abs(skew) <= CLOCKS_AGREE:
        return ""
    return (
        f"This machine's clock is {abs(skew):,.0f} s {'behind' if skew > 0 else 'ahead of'} the exchange's. "
        "Orders carry a deadline, so set the clock right before trading."
    )


def check_typed_key(public_key: str, secret: str) -> None:
    """What can be seen before the venue is asked. Raises `NotAllowed`; never repeats what was typed."""
    if not public_key:
        raise NotAllowed("The public key is missing.", field="public_key", code="missing")
    if not secret:
        raise NotAllowed("The private key is missing.", field="secret", code="missing")
    if public_key == secret:
        raise NotAllowed("The same text was given twice; the private key is another one.", field="secret", code="same")
    if len(public_key) == SECRET_LENGTH and len(secret) == PUBLIC_LENGTH:
        raise NotAllowed("The two halves seem to be exchanged: the longer one is the private key.",
                         field="public_key", code="exchanged")  # fmt: skip
    if not public_key.isascii() or not public_key.isprintable() or " " in public_key or len(public_key) > 200:
        raise NotAllowed("This is not a public key as the exchange shows it. Copy it again.",
                         field="public_key", code="unlike_a_key")  # fmt: skip
    try:
        material = base64.b64decode(secret + "=" * (-len(secret) % 4), validate=True)
    except (binascii.Error, ValueError):
        material = b""
    if not material:
        raise NotAllowed("This private key is not whole: it is not the base64 text the exchange shows. Copy it again.",
                         field="secret", code="unlike_a_key")  # fmt: skip
