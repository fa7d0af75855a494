"""The addresses of people, keys and the desk's book."""

from __future__ import annotations

from django.urls import path

from accounts.views import activity, keys, people

urlpatterns = [
    path("setup/<str:token>/", people.setup, name="setup"),
    path("profile/", people.profile, name="profile"),
    path("keys/", keys.keys, name="keys"),
    path("keys/add/", keys.add, name="add_key"),
    path("keys/try-demo/", keys.start_demo, name="try_demo"),
    path("keys/<int:key_id>/check/", keys.check, name="check_key"),
    path("keys/<int:key_id>/retire/", keys.retire, name="retire_key"),
    path("activity/", activity.activity, name="activity"),
]
