"""How a request and a challenge are signed. What is hashed is the text exactly as it is transmitted.

A venue that checks signatures uses the same two functions: they are words of the wire, not of one side.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac


class BadSecret(ValueError):
    """The private key is not base64. Says nothing about it, so that no log repeats a secret."""


def signed_path(url_path: str) -> str:
    """The path as it enters the hash: without a leading `/derivatives`, nothing else removed."""
    return url_path.removeprefix("/derivatives")


def authent(secret: str, *, url_path: str, post_data: str = "", nonce: str = "") -> str:
    """The `Authent` header. `post_data` is the raw query string followed by the raw body, still encoded.

    Raises `BadSecret`.
    """
    return _sign(secret, post_data + nonce + signed_path(url_path))


def signed_challenge(secret: str, challenge: str) -> str:
    """The proof a private subscription carries. Raises `BadSecret`."""
    return _sign(secret, challenge)


def _sign(secret: str, message: str) -> str:
    digest = hashlib.sha256(message.encode()).digest()
    return base64.b64encode(hmac.digest(_key(secret), digest, "sha512")).decode()


def _key(secret: str) -> bytes:
    text = secret.strip()
    padded = text + "=" * (-len(text) % 4)  # one published secret lacks its padding
    try:
        key = base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret("the private key is not base64 text") from None
    if not key:
        raise BadSecret("the private key is empty")
    return key
