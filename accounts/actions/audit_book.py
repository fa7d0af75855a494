"""The whole book: verified, its heads exported day by day, and written out for whoever wants to read it elsewhere."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from accounts.actions.audit import link_of
from accounts.chain import HOUSE, Finding, Head, chain_of, verify
from accounts.models import AuditHead, AuditRow, Desk
from accounts.spreadsheet import harmless

COLUMNS = ("number", "at", "actor", "action", "about", "details", "request", "previous", "digest")


def findings() -> Iterator[Finding]:
    """Everything that is wrong with any chain, held against every head that was ever exported. Reads all rows."""
    exported = exported_heads()
    heads = {one.chain for one in AuditHead.objects.all()}
    desks = {chain_of(pk): pk for pk in Desk.objects.values_list("pk", flat=True)}
    told = {one.chain for one in exported}
    for chain in sorted({HOUSE, *desks, *heads, *told}):
        rows = AuditRow.objects.filter(desk=desks.get(chain)) if chain in {HOUSE, *desks} else AuditRow.objects.none()
        ordered = rows.order_by(F("number").asc(nulls_first=True), "pk").iterator(chunk_size=2000)
        of_chain = [one for one in exported if one.chain == chain]
        yield from verify(chain, map(link_of, ordered), _head(chain), partial(_head, chain), of_chain)


def export_heads() -> Path:
    """Write down where every chain ends today. Copy the folder to another machine, and truncation shows for ever.

    A day's file is made once and then never changed: a later head of the same day goes into tomorrow's.
    """
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{timezone.now().astimezone(UTC):%Y-%m-%d}.json"
    if path.exists():
        return path
    heads = [{"chain": one.chain, "number": one.number, "digest": one.digest} for one in _heads()]
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(heads, indent=1) + "\n")
    draft.chmod(0o400)
    draft.replace(path)
    return path


def exported_heads() -> list[Head]:
    """Of every day's file there is; the newest of a number wins nothing: all must agree with the book."""
    found = []
    for path in sorted(_folder().glob("*.json")) if _folder().exists() else []:
        found += [Head(one["chain"], one["number"], one["digest"], path.stem) for one in json.loads(path.read_text())]
    return found


def csv_lines(rows: Iterable[AuditRow]) -> Iterator[str]:
    """The rows as CSV, times in UTC; no cell begins like a formula."""
    yield _line(COLUMNS)
    for row in rows:
        at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
        actor = row.actor.email if row.actor else ""
        details = json.dumps(row.details, sort_keys=True, ensure_ascii=False)
        yield _line((row.number, at, actor, row.action, row.about, details, row.request_id, row.previous, row.digest))


def _line(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([harmless(str(cell) if cell is not None else "") for cell in cells])
    return text.getvalue()


def _head(chain: str) -> Head | None:
    row = AuditHead.objects.filter(chain=chain).first()
    return Head(row.chain, row.number, row.digest) if row else None


def _heads() -> Iterable[AuditHead]:
    return AuditHead.objects.filter(number__gt=0).order_by("chain")


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "audit-heads"
