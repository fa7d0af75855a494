"""The addresses of people, keys and the desk's book."""

from __future__ import annotations

from django.urls import path

from accounts.views import activity, desks, glass, keys, people, policies, sessions, withdrawals

urlpatterns = [
    path("setup/<str:token>/", people.setup, name="setup"),
    path("invitation/<str:token>/", people.invitation, name="invitation"),
    path("profile/", people.profile, name="profile"),
    path("profile/sessions/", sessions.sessions, name="sessions"),
    path("profile/sessions/<int:session_id>/end/", sessions.end, name="end_session"),
    path("profile/sessions/end-others/", sessions.end_others, name="end_other_sessions"),
    path("people/", desks.people, name="people"),
    path("people/invite/", desks.invite, name="invite"),
    path("people/invitations/<int:invitation_id>/withdraw/", desks.withdraw_invitation, name="withdraw_invitation"),
    path("people/<int:member_id>/", desks.member, name="member"),
    path("people/<int:member_id>/suspend/", desks.suspend, name="suspend_member"),
    path("people/<int:member_id>/remove/", desks.remove, name="remove_member"),
    path("desk/", desks.settings, name="desk_settings"),
    path("desk/choose/", desks.choose, name="choose_desk"),
    path("rights/", desks.rights, name="rights"),
    path("keys/", keys.keys, name="keys"),
    path("keys/add/", keys.add, name="add_key"),
    path("keys/try-demo/", keys.start_demo, name="try_demo"),
    path("keys/<int:key_id>/check/", keys.check, name="check_key"),
    path("keys/<int:key_id>/retire/", keys.retire, name="retire_key"),
    path("activity/", activity.activity, name="activity"),
    path("withdrawals/", withdrawals.withdrawals, name="withdrawals"),
    path("withdrawals/register.csv", withdrawals.export, name="withdrawals_csv"),
    path("withdrawals/request/", withdrawals.request_form, name="request_withdrawal"),
    path("withdrawals/policy/", policies.policy, name="withdrawal_policy"),
    path("withdrawals/policy/propose/", policies.propose, name="propose_policy"),
    path("withdrawals/policy/<int:version_id>/", policies.vote, name="vote_policy"),
    path("withdrawals/<uuid:withdrawal_id>/", withdrawals.withdrawal, name="withdrawal"),
    path("withdrawals/<uuid:withdrawal_id>/approve/", withdrawals.approve, name="approve_withdrawal"),
    path("withdrawals/<uuid:withdrawal_id>/reject/", withdrawals.reject, name="reject_withdrawal"),
    path("withdrawals/<uuid:withdrawal_id>/settle/", withdrawals.settle_one, name="settle_withdrawal"),
    path("withdrawals/<uuid:withdrawal_id>/break-glass/", glass.break_it, name="break_glass"),
    path("withdrawals/<uuid:withdrawal_id>/break-glass/review/", glass.review, name="review_glass"),
    path("withdrawals/<uuid:withdrawal_id>/cancel/", withdrawals.cancel, name="cancel_withdrawal"),
    path("activity/export.csv", activity.export, name="export_audit"),
]
