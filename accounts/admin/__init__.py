"""A window for operators: everything can be looked at, nothing can be changed, secrets are not among it. What can be
decided about a withdrawal goes through the same actions as on the desk's own pages.
"""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.admin.reading import ReadOnly
from accounts.admin.withdrawals import WithdrawalAdmin
from accounts.models import Account, ApiKey, AuditRow, Desk, Membership, PolicyVersion, User

__all__ = ["WithdrawalAdmin"]

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # one door, one set of limits
admin.site.site_header = admin.site.site_title = "kfweb: the installation"
admin.site.index_title = "Every desk, to look at"
for unused in (Authenticator, EmailAddress, Group):  # what others registered: to write to, and with secrets in it
    admin.site.unregister(unused)


def change_password(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """The admin's own form would take the old password for a proof of the person."""
    return redirect("account_change_password")


admin.site.password_change = change_password  # type: ignore[assignment]


@admin.register(User)
class UserAdmin(ReadOnly):
    list_display = ("email", "name", "is_active", "is_staff", "joined_at", "last_login")
    search_fields = ("email", "name")
    fields = ("email", "name", "is_active", "is_staff", "joined_at", "last_login", "time_zone")


@admin.register(Desk)
class DeskAdmin(ReadOnly):
    list_display = ("name", "created_at")


@admin.register(Membership)
class MembershipAdmin(ReadOnly):
    list_display = ("desk", "user", "role", "since")
    list_filter = ("role",)


@admin.register(Account)
class AccountAdmin(ReadOnly):
    list_display = ("label", "desk", "environment", "venue_uid")
    list_filter = ("environment",)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly):
    list_display = ("label", "hint", "account", "state", "general", "withdrawal", "checked_at", "last_used_at")
    list_filter = ("state",)
    exclude = ("sealed", "wrapped_key", "fingerprint")


@admin.register(AuditRow)
class AuditAdmin(ReadOnly):
    list_display = ("at", "desk", "actor", "action", "about")
    list_filter = ("action",)
    search_fields = ("about",)


@admin.register(PolicyVersion)
class PolicyAdmin(ReadOnly):
    list_display = ("desk", "number", "state", "proposed_by", "decided_at")
    list_filter = ("state",)
    exclude = ("seal",)
