"""Errors to Sentry (or what speaks its protocol), traces to OpenTelemetry: off unless asked for.

The libraries are not among those that `make run` installs; requirements/observe.txt holds them.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from kfweb.logs import redacted

MISSING = (
    "{variable} is set, but its library is not installed: pip install --require-hashes -r requirements/observe.txt"
)


def begin() -> None:
    """Once a process, before it serves. Raises `ImproperlyConfigured` where a library is missing."""
    if settings.SENTRY_DSN:
        _report_errors(settings.SENTRY_DSN)
    if settings.OTLP_URL:
        _trace(settings.OTLP_URL)


def _report_errors(dsn: str) -> None:
    try:
        import sentry_sdk
    except ImportError:
        raise ImproperlyConfigured(MISSING.format(variable="KFWEB_SENTRY_DSN")) from None
    sentry_sdk.init(
        dsn=dsn,
        include_local_variables=False,  # a frame may hold an opened key
        send_default_pii=False,
        max_request_body_size="never",
        before_send=_without_secrets,
        before_breadcrumb=lambda _crumb, _hint: None,  # breadcrumbs hold addresses and queries
    )


def _without_secrets(event: Any, _hint: Any) -> Any:
    return redacted(event)


def _trace(url: str) -> None:
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.celery import CeleryInstrumentor
        from opentelemetry.instrumentation.django import DjangoInstrumentor
        from opentelemetry.instrumentation.requests import RequestsInstrumentor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ImproperlyConfigured(MISSING.format(variable="KFWEB_OTLP_URL")) from None
    provider = TracerProvider(resource=Resource.create({"service.name": "kfweb"}))
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces", timeout=5))
    )
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument()
    CeleryInstrumentor().instrument()
    RequestsInstrumentor().instrument(request_hook=_without_query)


def _without_query(span: Any, request: Any) -> None:
    """A signed call's address may carry what was asked for; the path says enough."""
    span.set_attribute("http.url", request.url.partition("?")[0])
