"""Who may do what: the one table. Pages, actions, sockets and the page that explains it all read it here.

`ALLOWED` says which roles hold a right. `DOORS` says which right an address asks for; an address without a row opens
for nobody (`accounts.doorkeeper`), so a new page begins with a line here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.core.exceptions import PermissionDenied

from accounts.models import Desk, Membership, Role, Scope, User
from accounts.prepared import Prepared


class Right(StrEnum):
    """The value is the sentence the page of rights shows."""

    LOOK = "See balances, positions, orders, fills and who did what"
    TRADE = "Place, change and cancel orders, within the own limits"
    LIFT_HALT = "Let a halted desk trade again"
    CHECK_KEYS = "Try a stored key again"
    MANAGE_KEYS = "Add, replace and retire keys"
    REQUEST_WITHDRAWAL = "Ask for a withdrawal or a transfer"
    REVIEW_WITHDRAWAL = "Approve or reject what somebody else asked for"
    BREAK_GLASS = "Break the glass, with another admin, where the policy has one"
    CHANGE_POLICY = "Propose another withdrawal policy"
    MANAGE_PEOPLE = "Invite people, set roles and limits, suspend and remove"
    MANAGE_ALERTS = "Set the alert rules that tell everybody of the desk"
    MANAGE_DESK = "Rename the desk, ask for a second factor, let the desk withdraw"
    NOTE = "Write notes and tags in the trade journal"
    EXPORT = "Take history and reports away as files"
    OPERATE = "See how this installation is doing"
    EXPORT_AUDIT = "Take the book of who did what away as a file"


EVERYBODY = frozenset(Role)
MANAGERS = frozenset({Role.ADMIN, Role.OWNER})
TRADERS = MANAGERS | {Role.TRADER}
REVIEWERS = MANAGERS | {Role.REVIEWER}

ALLOWED: dict[Right, frozenset[Role]] = {
    Right.LOOK: EVERYBODY,
    Right.TRADE: TRADERS,
    Right.LIFT_HALT: MANAGERS,
    Right.CHECK_KEYS: TRADERS,
    Right.MANAGE_KEYS: MANAGERS,
    Right.REQUEST_WITHDRAWAL: TRADERS,
    Right.REVIEW_WITHDRAWAL: REVIEWERS,
    Right.BREAK_GLASS: MANAGERS,
    Right.CHANGE_POLICY: MANAGERS,
    Right.MANAGE_PEOPLE: MANAGERS,
    Right.MANAGE_ALERTS: MANAGERS,
    Right.MANAGE_DESK: frozenset({Role.OWNER}),
    Right.NOTE: TRADERS | REVIEWERS,
    Right.EXPORT: TRADERS | REVIEWERS,
    Right.OPERATE: MANAGERS,
    Right.EXPORT_AUDIT: MANAGERS,
}


class NoRight(PermissionDenied):
    """The person's role does not hold the right: 403, whoever catches refusals of other kinds."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = "role"
        self.field = None


MEMBERSHIP = Prepared(lambda user, desk: Membership.objects.in_force().filter(user=user, desk=desk), int, int)


def membership_of(user: User, desk: Desk) -> Membership | None:
    """Only one that is in force: a suspended member is none."""
    return MEMBERSHIP.first(user.pk, desk.pk)


def has(membership: Membership | None, right: Right) -> bool:
    return membership is not None and membership.role in ALLOWED[right]


def require(user: User, desk: Desk, right: Right) -> Membership:
    """The membership that holds the right, or `NoRight`. Whoever is no member is refused like one who may not."""
    membership = membership_of(user, desk)
    if membership is None or not has(membership, right):
        words = [role.label.lower() for role in Role if role in ALLOWED[right]]
        raise NoRight(f"Only {' or '.join(words)} of this desk may do that.")
    return membership


class Open(StrEnum):
    """Doors that ask for no right on a desk."""

    PUBLIC = "Everybody, signed in or not"
    PERSON = "Every person, about themselves"
    STAFF = "Who runs this installation"
    TOKEN = "Who shows a token that opens it; `API` says which"  # noqa: S105 - a sentence
    CLOSED = "Nobody: this installation does not use it"


Who = Right | Open


@dataclass(frozen=True, slots=True)
class Door:
    """Who may read an address (GET), who may write to it (anything else; None: nobody), and whether only with a factor
    proven minutes ago. `back` names the page to return to after proving it, where the address itself takes no GET.
    """

    read: Who
    write: Who | None = None
    fresh: bool = False
    back: str = ""


PUBLIC, PERSON, LOOK, TRADE = Open.PUBLIC, Open.PERSON, Right.LOOK, Right.TRADE
CLOSED = Door(Open.CLOSED)
OWN_FACTOR = Door(PERSON, PERSON, fresh=True)

DOORS: dict[str, Door] = {
    # the installation
    "healthz": Door(PUBLIC),
    "readyz": Door(PUBLIC),
    "metrics": Door(PUBLIC),  # for permitted networks, which the view checks
    "status": Door(Right.OPERATE),
    "admin:*": Door(Open.STAFF, Open.STAFF),
    # the way in
    "setup": Door(PUBLIC, PUBLIC),
    "invitation": Door(PUBLIC, PUBLIC),
    "account_login": Door(PUBLIC, PUBLIC),
    "account_logout": Door(PUBLIC, PUBLIC),
    "account_inactive": Door(PUBLIC),
    "account_signup": Door(PUBLIC, PUBLIC),  # says that there is none
    "account_reset_password": Door(PUBLIC, PUBLIC),
    "account_reset_password_done": Door(PUBLIC),
    "account_reset_password_from_key": Door(PUBLIC, PUBLIC),
    "account_reset_password_from_key_done": Door(PUBLIC),
    "mfa_authenticate": Door(PUBLIC, PUBLIC),  # the second step of signing in
    "account_email": CLOSED,
    "account_email_verification_sent": CLOSED,
    "account_confirm_email": CLOSED,
    "account_confirm_login_code": CLOSED,
    "account_set_password": CLOSED,
    # a person's own
    "profile": Door(PERSON, PERSON),
    "preferences": Door(PERSON, PERSON),
    "sessions": Door(PERSON),
    "end_session": Door(PERSON, PERSON),
    "end_other_sessions": Door(PERSON, PERSON),
    "account_change_password": OWN_FACTOR,
    "account_reauthenticate": Door(PERSON, PERSON),
    "mfa_reauthenticate": Door(PERSON, PERSON),
    "mfa_reauthenticate_webauthn": Door(PERSON, PERSON),
    "mfa_index": Door(PERSON),
    "mfa_list_webauthn": Door(PERSON),
    "mfa_activate_totp": OWN_FACTOR,
    "mfa_deactivate_totp": OWN_FACTOR,
    "mfa_add_webauthn": OWN_FACTOR,
    "mfa_edit_webauthn": OWN_FACTOR,
    "mfa_remove_webauthn": OWN_FACTOR,
    "mfa_view_recovery_codes": OWN_FACTOR,
    "mfa_generate_recovery_codes": OWN_FACTOR,
    "mfa_download_recovery_codes": OWN_FACTOR,
    "inbox": Door(PERSON),
    "notice": Door(PERSON),
    "mark_read": Door(PERSON, PERSON),
    "latest_notices": Door(PERSON),
    "inbox_settings": Door(PERSON, PERSON),
    "test_notice": Door(PERSON, PERSON),
    "webhooks": Door(PERSON),
    "add_webhook": Door(PERSON, PERSON, fresh=True),
    "webhook_log": Door(PERSON),
    "renew_webhook": Door(PERSON, PERSON, fresh=True, back="webhooks"),
    "switch_webhook": Door(PERSON, PERSON, fresh=True, back="webhooks"),
    "remove_webhook": Door(PERSON, PERSON, fresh=True, back="webhooks"),
    "rights": Door(PERSON),
    "choose_desk": Door(PERSON, PERSON),
    # the own API, which asks for a token by itself and for nothing else
    "api:*": Door(Open.TOKEN, Open.TOKEN),
    "api_document": Door(PUBLIC),
    "api_docs": Door(PERSON),
    "api_unknown": Door(Open.TOKEN, Open.TOKEN),  # says that there is nothing
    # the desk: people, keys, the book
    "people": Door(LOOK),
    "invite": Door(Right.MANAGE_PEOPLE, Right.MANAGE_PEOPLE, fresh=True),
    "withdraw_invitation": Door(Right.MANAGE_PEOPLE, Right.MANAGE_PEOPLE, fresh=True, back="people"),
    "member": Door(Right.MANAGE_PEOPLE, Right.MANAGE_PEOPLE, fresh=True),
    "suspend_member": Door(Right.MANAGE_PEOPLE, Right.MANAGE_PEOPLE, fresh=True, back="people"),
    "remove_member": Door(Right.MANAGE_PEOPLE, Right.MANAGE_PEOPLE, fresh=True, back="people"),
    "desk_settings": Door(Right.MANAGE_DESK, Right.MANAGE_DESK, fresh=True),
    "keys": Door(LOOK),
    "add_key": Door(Right.MANAGE_KEYS, Right.MANAGE_KEYS, fresh=True),
    "try_demo": Door(Right.MANAGE_KEYS, Right.MANAGE_KEYS),  # play money: nothing to take, so no step-up
    "check_key": Door(Right.CHECK_KEYS, Right.CHECK_KEYS),
    "replace_key": Door(Right.MANAGE_KEYS, Right.MANAGE_KEYS, fresh=True),
    "retire_key": Door(Right.MANAGE_KEYS, Right.MANAGE_KEYS, fresh=True),
    "tokens": Door(LOOK),
    "make_token": Door(LOOK, LOOK, fresh=True),
    "revoke_token": Door(LOOK, LOOK),  # one's own, or a managed person's: less risk, never more
    "alerts": Door(LOOK),
    "add_alert": Door(LOOK, LOOK),  # one's own; the desk's only with the right, which the action asks for
    "change_alert": Door(LOOK, LOOK),
    "switch_alert": Door(LOOK, LOOK),
    "test_alert": Door(LOOK, LOOK),
    "remove_alert": Door(LOOK, LOOK),
    "usual_alerts": Door(Right.MANAGE_ALERTS, Right.MANAGE_ALERTS),
    "activity": Door(LOOK),
    "export_audit": Door(Right.EXPORT_AUDIT),
    # money that leaves
    "withdrawals": Door(LOOK),
    "withdrawal": Door(LOOK),
    "withdrawals_csv": Door(Right.EXPORT),
    "request_withdrawal": Door(Right.REQUEST_WITHDRAWAL, Right.REQUEST_WITHDRAWAL, fresh=True),
    "cancel_withdrawal": Door(Right.REQUEST_WITHDRAWAL, Right.REQUEST_WITHDRAWAL),  # less risk, never more
    "approve_withdrawal": Door(Right.REVIEW_WITHDRAWAL, Right.REVIEW_WITHDRAWAL, fresh=True),
    "reject_withdrawal": Door(Right.REVIEW_WITHDRAWAL, Right.REVIEW_WITHDRAWAL, fresh=True),
    "settle_withdrawal": Door(Right.REVIEW_WITHDRAWAL, Right.REVIEW_WITHDRAWAL, fresh=True),
    "break_glass": Door(Right.BREAK_GLASS, Right.BREAK_GLASS, fresh=True),
    "review_glass": Door(Right.REVIEW_WITHDRAWAL, Right.REVIEW_WITHDRAWAL, fresh=True),
    "withdrawal_policy": Door(LOOK),
    "propose_policy": Door(Right.CHANGE_POLICY, Right.CHANGE_POLICY, fresh=True),
    "vote_policy": Door(Right.REVIEW_WITHDRAWAL, Right.REVIEW_WITHDRAWAL, fresh=True),
    # markets and trading
    "overview": Door(LOOK),
    "parts": Door(LOOK),
    "markets": Door(PERSON),
    "favourite": Door(PERSON, PERSON),
    "trade": Door(PERSON),
    "instrument": Door(PERSON),
    "ticket": Door(PERSON),
    "candles": Door(PERSON),
    "sparklines": Door(PERSON),
    "readings": Door(PERSON),
    "own_market": Door(LOOK),
    "workspace": Door(PERSON, PERSON),
    "workspace_css": Door(PERSON),
    "market_workspace": Door(PERSON, PERSON),
    "preview_order": Door(TRADE),
    "place_order": Door(TRADE, TRADE),
    "order": Door(LOOK),
    "cancel_order": Door(TRADE, TRADE),
    "cancel_orders": Door(TRADE, TRADE),
    "close_position": Door(TRADE, TRADE),
    "reverse_position": Door(TRADE, TRADE),
    "contract_preferences": Door(TRADE, TRADE),
    "flatten": Door(TRADE, TRADE),
    "batch": Door(TRADE, TRADE),
    "batch_result": Door(LOOK, TRADE),
    "halt": Door(LOOK, TRADE),
    "lift_halt": Door(Right.LIFT_HALT, Right.LIFT_HALT),
    "dead_man": Door(LOOK, TRADE),
    "be_here": Door(TRADE, TRADE),
    "edit_order": Door(TRADE, TRADE),
    # what happened
    "reports": Door(LOOK),
    "report_details": Door(LOOK),
    "report_fifo": Door(LOOK),
    "journal": Door(LOOK),
    "journal_note": Door(LOOK, Right.NOTE),
    "equity": Door(LOOK),
    "exports": Door(LOOK),
    "ask_export": Door(Right.EXPORT, Right.EXPORT),
    "download_export": Door(LOOK),
    "history": Door(LOOK),
    "history_progress": Door(LOOK),
    "log_files": Door(LOOK, TRADE),
    "log_file": Door(LOOK),
    "save_view": Door(LOOK, LOOK),  # a search of one's own
    "forget_view": Door(LOOK, LOOK),
}

SOCKET: dict[str, Who] = {  # what a page may say on its socket; of an account's stream, only with `LOOK` on its desk
    "watch": LOOK,
    "resync": LOOK,
    "unwatch": PERSON,
    "ack": PERSON,
    "pace": PERSON,
    "look": PERSON,  # told to those who watch the same desk's stream
}


@dataclass(frozen=True, slots=True)
class Call:
    """What an operation of the own API asks for: the scope of the token, and the right of the person who made it."""

    scope: Scope
    right: Right


READS = Call(Scope.READ, LOOK)
TRADES = Call(Scope.TRADE, TRADE)

API: dict[str, Call] = {  # method and name of the address; an operation without a row opens for nobody
    "GET accounts": READS,
    "GET wallets": READS,
    "GET positions": READS,
    "GET orders": READS,
    "GET order": READS,
    "GET fills": READS,
    "GET withdrawals": READS,
    "GET withdrawal": READS,
    "GET audit": READS,
    "POST orders": TRADES,
    "PATCH order": TRADES,
    "DELETE order": TRADES,
    "POST orders_batch": TRADES,
    "POST orders_cancel_all": TRADES,
    "POST withdrawals": Call(Scope.TRADE, Right.REQUEST_WITHDRAWAL),  # asks; other people review it on a page
}
