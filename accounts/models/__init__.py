from accounts.models.account import Account, Environment
from accounts.models.api_key import ApiKey, KeyState
from accounts.models.api_token import ApiToken, Scope
from accounts.models.audit import AuditHead, AuditRow
from accounts.models.balances import Balances
from accounts.models.desk import Desk, LimitUse, Membership, Role, desks_of
from accounts.models.invitation import Invitation
from accounts.models.notice import Delivery, Level, Notice, NoticeSettings, Topic, Webhook
from accounts.models.policy import PolicyState, PolicyVersion, PolicyVote
from accounts.models.session import Device, UserSession
from accounts.models.setup_link import SetupLink
from accounts.models.user import User
from accounts.models.vault import VaultCanary
from accounts.models.withdrawal import (
    Approval,
    Glance,
    GlassReview,
    GlassVote,
    Settlement,
    Withdrawal,
    WithdrawalStatus,
)

__all__ = [
    "Account",
    "ApiKey",
    "ApiToken",
    "Approval",
    "AuditHead",
    "AuditRow",
    "Balances",
    "Delivery",
    "Desk",
    "Device",
    "Environment",
    "Glance",
    "GlassReview",
    "GlassVote",
    "Invitation",
    "KeyState",
    "Level",
    "LimitUse",
    "Membership",
    "Notice",
    "NoticeSettings",
    "PolicyState",
    "PolicyVersion",
    "PolicyVote",
    "Role",
    "Scope",
    "Settlement",
    "SetupLink",
    "Topic",
    "User",
    "UserSession",
    "VaultCanary",
    "Webhook",
    "Withdrawal",
    "WithdrawalStatus",
    "desks_of",
]
