from accounts.models.account import Account, Environment
from accounts.models.api_key import ApiKey, KeyState
from accounts.models.audit import AuditRow
from accounts.models.balances import Balances
from accounts.models.desk import Desk, Membership, Role
from accounts.models.setup_link import SetupLink
from accounts.models.user import User
from accounts.models.vault import VaultCanary

__all__ = [
    "Account",
    "ApiKey",
    "AuditRow",
    "Balances",
    "Desk",
    "Environment",
    "KeyState",
    "Membership",
    "Role",
    "SetupLink",
    "User",
    "VaultCanary",
]
