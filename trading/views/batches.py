"""Many orders together: typed, pasted, from a file or a ladder; checked line by line before any is sent."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.rights import Right, has
from accounts.rules import NotAllowed
from krakenfutures.numbers import plain
from krakenfutures.values import OrderType, Side
from trading.actions.batching import check_batch, never_arrived, retry_batch, send_batch
from trading.batch_lines import Line, LineError, WrongLine, ladder, parse_lines
from trading.forms import LadderForm
from trading.instruments import instrument_for
from trading.models import Batch
from trading.views.picture import Picture
from trading.views.risk import intent_of, known_picture, person

MOST_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line as written, what it was read as, and everything that is wrong with it."""

    number: int
    text: str
    line: Line | None
    errors: tuple[LineError, ...]


@dataclass(slots=True)
class Draft:
    """What is written so far. Nothing of it is stored."""

    text: str = ""
    lines: tuple[Line, ...] = ()
    errors: tuple[LineError, ...] = ()
    refusal: str = ""

    @property
    def rows(self) -> list[Row]:
        read = {line.number: line for line in self.lines}
        wrong = {error.line for error in self.errors}
        return [
            Row(number, text, read.get(number), tuple(one for one in self.errors if one.line == number))
            for number, text in enumerate(self.text.splitlines(), start=1)
            if number in read or number in wrong
        ]

    @property
    def of_all(self) -> list[LineError]:
        return [error for error in self.errors if not error.line]

    @property
    def digest(self) -> str:
        """The button names what was checked, so that and nothing else is sent."""
        return sha256(self.text.encode()).hexdigest()

    @property
    def may_be_sent(self) -> bool:
        return bool(self.lines) and not self.errors


@never_cache
@require_http_methods(["GET", "POST"])
def batch(request: HttpRequest) -> HttpResponse:
    """The builder: `do` is ladder (adds lines), check, or send."""
    picture = known_picture(request)
    draft, maker, do = Draft(), LadderForm(), request.POST.get("do", "")
    if request.method == "POST":
        draft.text = _written(request)
        if do == "ladder":
            maker = LadderForm(request.POST)
            _add_ladder(draft, maker, picture)
        _check(draft, request, picture)
        if do == "send" and draft.may_be_sent and request.POST.get("checked") != draft.digest:
            draft.refusal = "The lines are not those that were checked. Look at them again; nothing was sent."
        elif do == "send" and draft.may_be_sent:
            try:
                return redirect("batch_result", _sent(draft, request, picture).pk)
            except NotAllowed as refusal:
                draft.refusal = refusal.reason
    context = {"picture": picture, "draft": draft, "ladder": maker, "intent": request.POST.get("intent") or uuid4()}
    return render(request, "trading/batch.html", context, status=422 if draft.errors or draft.refusal else 200)


def _sent(draft: Draft, request: HttpRequest, picture: Picture) -> Batch:
    return send_batch(intent_of(request), account=picture.account, by=person(request), lines=draft.lines)


def _written(request: HttpRequest) -> str:
    file = request.FILES.get("file")
    if file is not None:
        content: bytes = file.read(MOST_BYTES)
        return content.decode("utf-8-sig", "replace")
    return request.POST.get("lines", "")[:MOST_BYTES].replace("\r\n", "\n")


def _check(draft: Draft, request: HttpRequest, picture: Picture) -> None:
    parsed = parse_lines(draft.text)
    draft.lines, draft.errors = parsed.lines, (*draft.errors, *parsed.errors)
    if draft.lines and not parsed.errors:
        draft.errors = (*draft.errors, *check_batch(picture.account, by=person(request), lines=draft.lines))


def _add_ladder(draft: Draft, form: LadderForm, picture: Picture) -> None:
    """Its lines go below what is written already, where they can still be changed."""
    if not form.is_valid():
        return
    wish = dict(form.cleaned_data)
    try:
        known = instrument_for(picture.environment, wish.pop("symbol"))
        wish |= {"side": Side(wish["side"]), "type": OrderType(wish["type"])}
        made = ladder(known, **wish)
    except WrongLine as wrong:
        form.add_error(wrong.field if wrong.field in form.fields else None, wrong.sentence)
        return
    except NotAllowed as refusal:
        form.add_error("symbol", refusal.reason)
        return
    draft.text = "\n".join(filter(None, [draft.text.rstrip("\n"), *map(_as_text, made)]))


def _as_text(line: Line) -> str:
    prices = [plain(price) if price is not None else "" for price in (line.limit_price, line.stop_price)]
    terms = [line.symbol, line.side, line.type, plain(line.size), *prices, "yes" if line.reduce_only else ""]
    return ",".join(terms).rstrip(",")


@never_cache
@require_http_methods(["GET", "POST"])
def result(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """What became of each line; posting sends again what is proven not to have arrived."""
    found = get_object_or_404(Batch.objects.visible_to(person(request)), pk=batch_id)
    context: dict[str, Any] = {"batch": found, "intent": request.POST.get("intent") or uuid4()}
    if request.method == "POST":
        try:
            retry_batch(intent_of(request), batch=found, by=person(request))
            return redirect("batch_result", found.pk)
        except NotAllowed as refusal:
            context["refusal"] = refusal.reason
    lines = found.lines()
    context |= {"lines": lines, "again": sum(never_arrived(line.order) for line in lines)}
    context["may_retry"] = has(getattr(request, "membership", None), Right.TRADE)
    context["open"] = any(line.order.is_unsettled for line in lines)
    return render(request, "trading/batch_result.html", context)
