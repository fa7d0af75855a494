"""The withdrawal policy of a desk: versions that only other people can bring into force."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import vault
from accounts.actions.audit import record
from accounts.models import AuditRow, Desk, Membership, PolicyState, PolicyVersion, PolicyVote, User
from accounts.policy_differences import looser_parts, stricter_parts
from accounts.policy_document import canonical, digest_of, from_document, to_document
from accounts.policy_people import Member, nobody_can_satisfy, reviewers, unsatisfiable
from accounts.policy_rules import DEFAULT, BadPolicy, Policy
from accounts.rights import ALLOWED, Right
from accounts.rules import NotAllowed
from accounts.stepup import Factor, fresh_for
from accounts.vault import VaultError
from accounts.withdrawal_rules import person_of

REQUESTING = ALLOWED[Right.REQUEST_WITHDRAWAL]
PROPOSING = ALLOWED[Right.CHANGE_POLICY]
IN_FORCE = "policy.in_force"


class PolicyBroken(NotAllowed):
    """The policy's rows are not as the desk wrote them, so nothing may rest on them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, code="tampered")


def policy_in_force(desk: Desk) -> PolicyVersion:
    """The version that new requests follow; the careful default when the desk never chose. Raises `PolicyBroken`."""
    found = PolicyVersion.objects.filter(desk=desk, state=PolicyState.IN_FORCE).first()
    if found is None:
        found = _first(desk)
    return _proven(found)


def versions_since(desk: Desk, number: int) -> list[PolicyVersion]:
    """Version `number` and every later one, oldest first, none missing. Raises `PolicyBroken`."""
    rows = list(PolicyVersion.objects.filter(desk=desk, number__gte=number).order_by("number"))
    numbers = [row.number for row in rows]
    if not rows or numbers != list(range(number, number + len(rows))) or rows[-1].state != PolicyState.IN_FORCE:
        raise PolicyBroken("A version of the withdrawal policy is missing.")
    for row in rows[:-1]:
        _require_seal(row)
    _proven(rows[-1])
    return rows


def members_of(desk: Desk, *, without: User | None = None) -> list[Member]:
    rows = Membership.objects.in_force().filter(desk=desk).select_related("user").order_by("pk")
    return [
        Member(person_of(row.user.email), row.role, row.role in REQUESTING)
        for row in rows
        if without is None or row.user_id != without.pk
    ]


def out_of_reach(desk: Desk, *, without: User | None = None) -> list[str]:
    """What nobody could approve, as it stands or once somebody has left, in sentences."""
    try:
        return unsatisfiable(policy_in_force(desk).policy, members_of(desk, without=without))
    except (PolicyBroken, VaultError):
        return []  # said where the policy is shown, and nothing is sent until that is settled


def newly_lost(before: list[str], after: list[str]) -> list[str]:
    """What could be approved before and not after: the same trouble with other numbers is nothing new."""
    known = {line.partition(":")[0] for line in before}
    return [line for line in after if line.partition(":")[0] not in known]


def propose_policy(desk: Desk, policy: Policy, *, by: User, reason: str, factor: Factor | None) -> PolicyVersion:
    """Ask for a change. It comes into force when enough others agree, under the policy in force now.

    Raises `NotAllowed`.
    """
    require_factor(factor)
    _require_role(desk, by, PROPOSING, "Only an admin or owner may propose a policy.")
    document = to_document(policy)
    try:
        from_document(document)
    except BadPolicy as bad:
        raise NotAllowed(bad.reason, field=bad.field, code="policy") from None
    current = policy_in_force(desk)
    if digest_of(document) == current.digest:
        raise NotAllowed("Nothing is different from the policy in force.", code="same")
    members = members_of(desk)
    if nobody_can_satisfy(policy, members):
        raise NotAllowed(" ".join(unsatisfiable(policy, members)), field="tiers", code="unsatisfiable")
    _require_quorum(desk, current.policy, by)
    version = PolicyVersion(
        desk=desk, document=document, digest=digest_of(document), based_on=current.number or 0, proposed_by=by,
        proposer_person=person_of(by.email), reason=reason.strip()[:400], proposed_at=timezone.now(),
    )  # fmt: skip
    try:
        with transaction.atomic():
            version.save()
            _write(version)
            record(by, "policy.proposed", version, desk=desk, digest=version.digest, **_differences(policy, current))
    except IntegrityError:
        raise NotAllowed("Another change waits for its review already. Decide that one first.", code="open") from None
    return version


def approve_policy(version_id: int, *, by: User, digest: str, factor: Factor | None) -> PolicyVersion:
    """One more yes; the last one needed brings it into force. Raises `NotAllowed`."""
    proof = require_factor(factor)
    with transaction.atomic():
        version, current = _take_proposal(version_id)
        _require_reviewer(version.desk, current.policy, by)
        if version.proposed_by is None or _is_same_person(by, version):
            raise NotAllowed("Whoever proposed a change does not decide on it.", code="own")
        if digest != version.digest or version.based_on != current.number:
            raise NotAllowed("This is not what you saw; look at it again.", code="changed")
        vote = PolicyVote(
            version=version, reviewer=by, reviewer_person=person_of(by.email), proposer=version.proposed_by,
            proposer_person=version.proposer_person, digest=digest, factor=proof.kind, factor_at=proof.at,
            at=timezone.now(),
        )  # fmt: skip
        vote.seal = _vote_seal(vote)
        try:
            with transaction.atomic():
                vote.save()
        except IntegrityError:
            raise NotAllowed("You voted on this already.", code="voted") from None
        record(by, "policy.approved", version, desk=version.desk, digest=digest, factor=proof.kind)
        if len(_counting(version, current.policy)) >= current.policy.policy_approvals:
            _bring_into_force(version, current)
    return version


def reject_policy(version_id: int, *, by: User, reason: str) -> PolicyVersion:
    """Any reviewer may say no; the proposer takes it back. Raises `NotAllowed`."""
    with transaction.atomic():
        version, current = _take_proposal(version_id)
        own = _is_same_person(by, version)
        if not own:
            _require_reviewer(version.desk, current.policy, by)
            if not reason.strip():
                raise NotAllowed("Say why, so that the proposer can do better.", field="reason", code="reason")
        version.state = PolicyState.WITHDRAWN if own else PolicyState.REJECTED
        version.remark, version.decided_at = reason.strip()[:400], timezone.now()
        _write(version)
        record(by, f"policy.{version.state}", version, desk=version.desk, reason=version.remark)
    return version


def require_factor(factor: Factor | None) -> Factor:
    """Money, votes and policies want a proof of the person that is minutes old. Raises `NotAllowed`."""
    if factor is None or not timedelta(0) <= timezone.now() - factor.at < fresh_for():
        raise NotAllowed("Confirm that it is you first.", code="factor")
    return factor


# --- inside --------------------------------------------------------------------------------------------------------


def _first(desk: Desk) -> PolicyVersion:
    document = to_document(DEFAULT)
    try:
        with transaction.atomic():
            Desk.objects.select_for_update(no_key=True).get(pk=desk.pk)
            if AuditRow.objects.filter(desk=desk, action=IN_FORCE).exists():
                raise PolicyBroken("The withdrawal policy in force is missing.")
            version = PolicyVersion(
                desk=desk, number=1, state=PolicyState.IN_FORCE, document=document, digest=digest_of(document),
                proposed_at=timezone.now(), decided_at=timezone.now(), remark="The default",
            )  # fmt: skip
            version.save()
            _write(version)
            record(None, IN_FORCE, version, desk=desk, number=1, digest=version.digest)
            return version
    except (IntegrityError, PolicyBroken):
        found = PolicyVersion.objects.filter(desk=desk, state=PolicyState.IN_FORCE).first()
        if found is None:
            raise PolicyBroken("The withdrawal policy in force is missing.") from None
        return found


def _bring_into_force(version: PolicyVersion, current: PolicyVersion) -> None:
    policy, members = version.policy, members_of(version.desk)
    if nobody_can_satisfy(policy, members):
        raise NotAllowed(" ".join(unsatisfiable(policy, members)), code="unsatisfiable")
    current.state = PolicyState.SUPERSEDED
    _write(current)
    version.state, version.number = PolicyState.IN_FORCE, (current.number or 0) + 1
    version.decided_at = timezone.now()
    _write(version)
    record(None, IN_FORCE, version, desk=version.desk, number=version.number, digest=version.digest)


def _take_proposal(version_id: int) -> tuple[PolicyVersion, PolicyVersion]:
    Desk.objects.select_for_update(no_key=True).filter(policies=version_id).first()
    version = PolicyVersion.objects.select_related("desk", "proposed_by").filter(pk=version_id).first()
    if version is None or version.state != PolicyState.PROPOSED:
        raise NotAllowed("This proposal is decided already.", code="moved")
    _require_seal(version)
    return version, policy_in_force(version.desk)


def _counting(version: PolicyVersion, current: Policy) -> set[str]:
    roles = {row.user_id: row.role for row in Membership.objects.in_force().filter(desk=version.desk)}
    return {
        vote.reviewer_person
        for vote in version.votes.all()
        if vote.digest == version.digest
        and vote.seal == _vote_seal(vote)
        and roles.get(vote.reviewer_id) in current.review_roles
        and vote.reviewer_person != version.proposer_person
    }


def _require_quorum(desk: Desk, policy: Policy, by: User) -> None:
    others = reviewers(policy, members_of(desk), requester=person_of(by.email))
    if len(others) < policy.policy_approvals:
        raise NotAllowed(
            f"A change needs {policy.policy_approvals} other reviewers, and the desk has {len(others)}. "
            "Invite somebody first.",
            code="quorum",
        )


def _require_reviewer(desk: Desk, policy: Policy, by: User) -> None:
    _require_role(desk, by, policy.review_roles, "Only reviewers decide on the policy.")


def _require_role(desk: Desk, by: User, roles: Collection[str], refusal: str) -> None:
    if not Membership.objects.in_force().filter(desk=desk, user=by, role__in=roles).exists():
        raise NotAllowed(refusal, code="role")


def _is_same_person(user: User, version: PolicyVersion) -> bool:
    return user.pk == version.proposed_by_id or person_of(user.email) == version.proposer_person


def _differences(policy: Policy, current: PolicyVersion) -> dict[str, Any]:
    old = current.policy
    return {"stricter": stricter_parts(policy, old), "looser": looser_parts(policy, old)}


def _proven(version: PolicyVersion) -> PolicyVersion:
    """The seal holds, and it is the last one that the audit trail knows: an older one put back would not be."""
    _require_seal(version)
    if AuditRow.objects.filter(desk=version.desk_id, action=IN_FORCE).count() != version.number:
        raise PolicyBroken("The withdrawal policy in force is not the last one that was agreed.")
    return version


def _require_seal(version: PolicyVersion) -> None:
    if version.seal != _seal(version) or digest_of(version.document) != version.digest:
        raise PolicyBroken(f"Policy {version.number or version.pk} was changed by another hand than the desk's.")


def _write(version: PolicyVersion) -> None:
    version.seal = _seal(version)
    version.save()


def _seal(version: PolicyVersion) -> str:
    bound = {
        "id": version.pk,
        "desk": version.desk_id,
        "number": version.number,
        "state": str(version.state),
        "document": version.document,
        "based_on": version.based_on,
        "proposed_by": version.proposed_by_id,
        "proposer": version.proposer_person,
    }
    return vault.mark("policy", canonical(bound))


def _vote_seal(vote: PolicyVote) -> str:
    bound = [vote.version_id, vote.digest, vote.reviewer_id, vote.reviewer_person, vote.factor, vote.at.isoformat()]
    return vault.mark("policyvote", canonical(bound))
