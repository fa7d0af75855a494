"""What makes a password easy to guess though it is long: a common one with something around it, words everybody here
would try, and one that was in a breach, where the installation has such a list.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from accounts.models import User

OURS = ("kfweb", "krakenfutures", "kraken", "futures", "derivatives", "withdrawal", "trading", "bitcoin", "password")
ENOUGH = 6  # characters beside the words everybody would try
AS_LETTERS = str.maketrans("013457@$!", "oleastasi")
AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")
SHA1 = 40  # characters


class NoCommonOneDressedUp:
    """`Password123!`, `letmeinletmein`, `dr4g0nm0nk3y`: what guessing programs try right after the list itself."""

    def validate(self, password: str, user: object = None) -> None:
        plain = password.lower()
        for text in (plain, plain.translate(AS_LETTERS)):
            if _is_made_of_two(AROUND.sub("", text)):
                raise ValidationError("This is a common password with something around it.", code="common")

    def get_help_text(self) -> str:
        return "Not a common password with something around it."


class NoWordsOfOurs:
    """What the place is called, and the person, leave too little to guess."""

    def validate(self, password: str, user: object = None) -> None:
        left = password.lower().translate(AS_LETTERS)
        own = re.split(r"\W+", user.email.lower()) if isinstance(user, User) else []
        for word in sorted({*OURS, *(one for one in own if len(one) > 3)}, key=len, reverse=True):
            left = left.replace(word, "")
        if len(re.sub(r"[\W\d_]", "", left)) < ENOUGH and len(left) < len(password):
            raise ValidationError("Everybody who knows this place would try these words first.", code="ours")

    def get_help_text(self) -> str:
        return "More than the words everybody here would try."


class NotBreached:
    """Against the file that `KFWEB_BREACHED_PASSWORDS` names: lines of SHA-1 digests, sorted, `:COUNT` after each."""

    def validate(self, password: str, user: object = None) -> None:
        if settings.BREACHED_PASSWORDS and is_in(Path(settings.BREACHED_PASSWORDS), password):
            raise ValidationError(
                "This password was in a breach of some other site, so it is on every list.", code="breached"
            )

    def get_help_text(self) -> str:
        return "Not one that was in a breach."


def is_in(file: Path, password: str) -> bool:
    """Looked up by halving, so that a file of forty gigabytes costs forty reads. Raises `OSError` without the file."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with file.open("rb") as lines:
        low, high = 0, lines.seek(0, 2)
        while low < high:
            middle = (low + high) // 2
            found = _line_from(lines, middle)
            if found[:SHA1].upper() == wanted:
                return True
            if found and found[:SHA1].upper() < wanted:
                low = lines.tell()
            else:
                high = middle
    return False


def _line_from(lines: BinaryIO, place: int) -> bytes:
    """The first line that begins at `place` or after it."""
    lines.seek(max(place - 1, 0))
    if place:
        lines.readline()
    return lines.readline()


@cache
def _common() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)


def _is_made_of_two(text: str) -> bool:
    """One common password, or two in a row."""
    words = _common()
    return text in words or any(text[:cut] in words and text[cut:] in words for cut in range(4, len(text) - 3))
