"""Who signed this? The venue's own reading of Kraken's signature, and of nonces.

What is signed are the bytes as they were sent: nothing here sorts, decodes or encodes again.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import secrets
from collections import deque

WINDOW_SECONDS = 10  # how far a nonce may lag behind the highest one seen
REMEMBERED = 4096  # the rate budget lets about 500 calls into a window; this bounds the memory


def new_pair() -> tuple[str, str]:
    """A public and a private key, 56 and 88 characters, as Kraken's are."""
    public = base64.b64encode(secrets.token_bytes(42)).decode()
    private = base64.b64encode(secrets.token_bytes(64)).decode()
    return public, private


def signed_path(path: str) -> str:
    """Only a leading /derivatives is left out."""
    return path.removeprefix("/derivatives")


@functools.lru_cache(maxsize=4096)
def decode_secret(secret: str) -> bytes:
    """Raises ValueError when it is no base64. Missing padding is forgiven, as published examples lack it."""
    try:
        return base64.b64decode(secret + "=" * (-len(secret) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret is not base64") from error


def sign(secret: bytes, *, post_data: bytes, nonce: str, path: str) -> str:
    digest = hashlib.sha256(post_data + nonce.encode() + signed_path(path).encode()).digest()
    return base64.b64encode(hmac.digest(secret, digest, "sha512")).decode()


def is_signed(secret: bytes, authent: str, *, post_data: bytes, nonce: str, path: str) -> bool:
    return hmac.compare_digest(
        sign(secret, post_data=post_data, nonce=nonce, path=path).encode(), authent.encode(errors="replace")
    )


def answers_challenge(secret: bytes, challenge: str, signed: str) -> bool:
    digest = hashlib.sha256(challenge.encode()).digest()
    expected = base64.b64encode(hmac.new(secret, digest, hashlib.sha512).digest())
    return hmac.compare_digest(expected, signed.encode(errors="replace"))


class NonceError(Exception):
    """`code` is Kraken's word for what is wrong with it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Nonces:
    """The nonces of one key: rising, tolerant of a short disorder, never twice.

    Clients count in milliseconds up to nanoseconds, so the tolerance of ten seconds is scaled by the number of
    digits: a time in seconds has ten.
    """

    def __init__(self, highest: int = 0) -> None:
        self.highest = highest
        self._seen: set[int] = set()
        self._order: deque[int] = deque()

    def use(self, text: str) -> None:
        if not (text.isascii() and text.isdigit() and len(text) <= 38):
            raise NonceError("nonceBelowThreshold")
        value = int(text)
        if value in self._seen:
            raise NonceError("nonceDuplicate")
        if value <= self.highest - self.window():
            raise NonceError("nonceBelowThreshold")
        self._remember(value)

    def window(self) -> int:
        digits = len(str(self.highest))
        return WINDOW_SECONDS * 10 ** (digits - 10) if digits > 10 else WINDOW_SECONDS

    def _remember(self, value: int) -> None:
        self.highest = max(self.highest, value)
        self._seen.add(value)
        self._order.append(value)
        if len(self._order) > REMEMBERED:
            self._seen.discard(self._order.popleft())
