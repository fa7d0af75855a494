"""The Celery application. Tasks live in the apps; what beat rings is listed in `kfweb.schedule`."""

import os

from celery import Celery

from kfweb.schedule import SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kfweb.settings")
app = Celery("kfweb")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = SCHEDULE
app.autodiscover_tasks()
