"""The chain of the audit rows: how a digest is reckoned, and what a broken chain tells. Pure; rows come in as values.

Every digest covers all that its row says, its number, and the digest before it. Whoever changes, takes out, inserts or
swaps rows cannot make the digests fit again without changing every later one, and the heads that were exported since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

VERSION = 1
HOUSE = "house"  # the chain of rows that belong to no desk


@dataclass(frozen=True, slots=True)
class Link:
    """One row as the chain sees it."""

    id: int
    chain: str
    number: int | None
    previous: str
    digest: str
    at: datetime
    actor: int | None
    action: str
    about: str
    details: Mapping[str, Any]
    request_id: str

    def digest_as(self, number: int | None, previous: str) -> str:
        """SHA-256, in hex, of the row as if it stood at `number` after `previous`."""
        told = [
            VERSION, self.chain, number, previous, self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            self.actor, self.action, self.about, self.details, self.request_id,
        ]  # fmt: skip
        text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def is_whole(self) -> bool:
        return self.digest == self.digest_as(self.number, self.previous)


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ended at some time."""

    chain: str
    number: int
    digest: str
    at: str = ""  # of an exported one: the day


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind` is "changed", "deleted", "reordered", "inserted", "truncated" or "head"."""

    kind: str
    chain: str
    number: int | None
    sentence: str


def chain_of(desk_id: int | None) -> str:
    return HOUSE if desk_id is None else f"desk:{desk_id}"


def verify(
    chain: str,
    links: Iterable[Link],
    head: Head | None,
    later: Callable[[], Head | None],
    exported: Iterable[Head] = (),
) -> Iterator[Finding]:
    """Everything that is wrong with one chain. `links` come by number, those without a number first.

    `head` was read before the rows, and `later` reads it after them: the book may grow while it is read.
    """
    heads = {one.number: one for one in exported}
    last, digest = 0, ""
    broken: list[Link] = []
    for link in links:
        if link.number is None:
            yield Finding(
                "inserted", chain, None, f"{chain}: row id {link.id} is not in the chain: it was slipped in."
            )
            continue
        if link.number > last + 1:
            yield _missing(chain, last + 1, link.number - 1)
        if not link.is_whole:
            broken.append(link)
        elif link.number == last + 1 and link.previous != digest and not (broken and broken[-1].number == last):
            sentence = f"{chain}: row {link.number} does not follow the row before it, which was replaced."
            yield Finding("changed", chain, last or None, sentence)
        if (known := heads.pop(link.number, None)) and known.digest != link.digest:
            sentence = f"{chain}: row {link.number} is not the one exported on {known.at}: the book was rewritten."
            yield Finding("changed", chain, link.number, sentence)
        last, digest = link.number, link.digest
    yield from _name_broken(chain, broken)
    yield from _check_end(chain, last, digest, head, later(), heads.values())


def _missing(chain: str, first: int, last: int) -> Finding:
    which = f"row {first} is" if first == last else f"rows {first} to {last} are"
    return Finding("deleted", chain, first, f"{chain}: {which} missing: deleted.")


def _name_broken(chain: str, broken: list[Link]) -> Iterator[Finding]:
    """A broken row is a whole one at the place of another broken row, when they were swapped; else it was changed."""
    places = {(link.number, link.previous) for link in broken}
    numbers = {link.number for link in broken}
    for link in broken:
        tries = places | {(number, link.previous) for number in numbers}
        home = next((number for number, previous in tries if link.digest == link.digest_as(number, previous)), None)
        if home is not None:
            sentence = f"{chain}: row {link.number} was row {home}: the rows were reordered."
            yield Finding("reordered", chain, link.number, sentence)
        else:
            yield Finding("changed", chain, link.number, f"{chain}: row {link.number} (id {link.id}) was changed.")


def _check_end(
    chain: str, last: int, digest: str, head: Head | None, later: Head | None, beyond: Iterable[Head]
) -> Iterator[Finding]:
    for known in sorted(beyond, key=lambda one: one.number):
        if known.number > last:
            sentence = f"{chain}: row {known.number} was there on {known.at}, and the book ends at {last}: truncated."
            yield Finding("truncated", chain, last + 1, sentence)
    if head is None:
        if last and later is None:
            yield Finding("head", chain, last, f"{chain}: its head is gone.")
        return
    if head.number > last:
        sentence = f"{chain}: rows {last + 1} to {head.number} are missing: truncated."
        yield Finding("truncated", chain, last + 1, sentence)
    elif later is not None and later.number < last:
        sentence = f"{chain}: the head stands at {later.number}, the rows go on to {last}: rows were put in behind it."
        yield Finding("inserted", chain, later.number + 1, sentence)
    elif any(one.number == last and one.digest != digest for one in (head, later) if one is not None):
        yield Finding("head", chain, last, f"{chain}: the head is not the digest of row {last}.")
