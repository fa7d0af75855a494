"""The Celery application. Tasks live in the apps; what beat rings is listed in `kfweb.schedule`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

from kfweb.schedule import SCHEDULE

GIVES_WAY = 10  # of 19: where cores are short, prices and pages come before readings of the past

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kfweb.settings")
app = Celery("kfweb")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = SCHEDULE
app.autodiscover_tasks()


def give_way(**_: Any) -> None:
    """Not before, so that the start stays quick. The threads that take tasks are made afterwards, and inherit it."""
    os.nice(GIVES_WAY)


worker_ready.connect(give_way)
