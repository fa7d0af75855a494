from accounts.models.account import Account, Environment
from accounts.models.api_key import ApiKey, KeyState
from accounts.models.audit import AuditHead, AuditRow
from accounts.models.balances import Balances
from accounts.models.desk import Desk, LimitUse, Membership, Role, desks_of
from accounts.models.invitation import Invitation
from accounts.models.session import Device, UserSession
from accounts.models.setup_link import SetupLink
from accounts.models.user import User
from accounts.models.vault import VaultCanary

__all__ = [
    "Account",
    "ApiKey",
    "AuditHead",
    "AuditRow",
    "Balances",
    "Desk",
    "Device",
    "Environment",
    "Invitation",
    "KeyState",
    "LimitUse",
    "Membership",
    "Role",
    "SetupLink",
    "User",
    "UserSession",
    "VaultCanary",
    "desks_of",
]
