"""Where a person is signed in, and ending that."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.actions.sessions import end_all_sessions, end_session, live_sessions
from accounts.models import UserSession
from accounts.views.request import DeskRequest


@require_GET
def sessions(request: DeskRequest) -> HttpResponse:
    context = {"sessions": live_sessions(request.user), "current": request.session.session_key}
    return render(request, "accounts/sessions.html", context)


@require_POST
def end(request: DeskRequest, session_id: int) -> HttpResponse:
    session = get_object_or_404(UserSession, pk=session_id, user=request.user)
    own = session.session_key == request.session.session_key
    end_session(session, by=request.user)
    if own:
        logout(request)
        return redirect("account_login")
    messages.success(request, "That session is over.")
    return redirect("sessions")


@require_POST
def end_others(request: DeskRequest) -> HttpResponse:
    end_all_sessions(request.user, by=request.user, why="asked for")
    update_session_auth_hash(request, request.user)  # this one goes on, under the new number
    messages.success(request, "Every other session is over.")
    return redirect("sessions")
