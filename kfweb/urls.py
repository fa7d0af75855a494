"""Every address of the desk. What is not marked public needs a login (`LoginRequiredMiddleware`)."""

from django.contrib import admin
from django.urls import include, path

from kfweb import health
from kfweb.metrics import metrics

handler500 = "kfweb.health.failed"

urlpatterns = [
    path("healthz", health.live, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("status/", health.status, name="status"),
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("trading.urls")),
]
