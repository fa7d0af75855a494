"""The first page: am I safe, what am I worth, what is open."""

from __future__ import annotations

from uuid import uuid4

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import Level, Notice, Topic
from accounts.prepared import Prepared
from accounts.views.request import DeskRequest
from trading.views.picture import picture_of

NEWS = 3  # of what is in the inbox
NEWS_OF = Prepared(
    lambda user: (
        Notice.objects.visible_to(user).unread().exclude(topic=Topic.WITHDRAWAL).exclude(level=Level.INFO)[:NEWS]
    )
)


@require_GET
def overview(request: DeskRequest) -> HttpResponse:
    """`news`: the newest unread notices that are more than information; withdrawals are counted by themselves."""
    context = {"picture": picture_of(request), "intent": uuid4().hex, "news": NEWS_OF.all(request.user.pk)}
    return render(request, "trading/overview.html", context)
