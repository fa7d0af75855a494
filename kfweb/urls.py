"""Every address of the desk. What is not marked public needs a login (`LoginRequiredMiddleware`)."""

from django.contrib import admin
from django.urls import include, path

from kfweb import health

urlpatterns = [
    path("healthz", health.live, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("trading.urls")),
]
