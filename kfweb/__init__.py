"""Wiring: settings, urls, asgi, celery, health, the `up` command. No rules live here."""

from kfweb.celery import app as celery_app

__all__ = ["celery_app"]
