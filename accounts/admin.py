"""A window for operators: everything can be looked at, nothing can be changed, secrets are not among it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from accounts.models import (
    Account,
    ApiKey,
    Approval,
    AuditRow,
    Desk,
    Membership,
    PolicyVersion,
    Settlement,
    User,
    Withdrawal,
)

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # one door, one set of limits


if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
    Inline = admin.TabularInline[Any, Any]
else:
    Base = admin.ModelAdmin  # Django's own is not subscriptable
    Inline = admin.TabularInline


class ReadOnly(Base):
    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(ReadOnly):
    list_display = ("email", "name", "is_active", "is_staff", "joined_at", "last_login")
    search_fields = ("email", "name")
    exclude = ("password",)


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


class Votes(Inline):
    extra = 0
    can_delete = False
    exclude = ("seal",)

    def has_add_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False


class ApprovalInline(Votes):
    model = Approval


class SettlementInline(Votes):
    model = Settlement


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnly):
    """To look at; "View on site" leads to the page with the buttons."""

    list_display = ("code", "status", "amount", "currency", "source", "landing", "requester", "desk", "requested_at")
    list_filter = ("status", "desk")
    exclude = ("seal", "sealed")
    inlines = (ApprovalInline, SettlementInline)


@admin.register(PolicyVersion)
class PolicyAdmin(ReadOnly):
    list_display = ("desk", "number", "state", "proposed_by", "decided_at")
    list_filter = ("state",)
    exclude = ("seal",)
