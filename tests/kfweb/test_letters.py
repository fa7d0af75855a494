"""Where letters go is said by one variable; what cannot be meant stops the start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.stack import ROOT

ASK = """
from django.conf import settings as s
print(s.EMAIL_BACKEND.split('.')[-2], getattr(s, 'EMAIL_HOST', ''), getattr(s, 'EMAIL_PORT', ''),
      getattr(s, 'EMAIL_HOST_USER', ''), getattr(s, 'EMAIL_USE_TLS', ''), getattr(s, 'EMAIL_USE_SSL', ''))
"""


def settings_with(url: str | None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "kfweb.settings"}
    environment.pop("KFWEB_SMTP_URL", None)
    if url is not None:
        environment["KFWEB_SMTP_URL"] = url
    return subprocess.run([sys.executable, "-c", ASK], env=environment, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (None, "console localhost 25  False False"),
        ("smtp://me%40x:p%3Aw@mail.test", "smtp mail.test 587 me@x True False"),
        ("smtps://mail.test", "smtp mail.test 465  False True"),
        ("smtp+plain://127.0.0.1:25", "smtp 127.0.0.1 25  False False"),
    ],
)
def test_the_address_of_the_mail_server_says_how_it_is_spoken_to(url: str | None, told: str) -> None:
    assert settings_with(url).stdout.strip() == told


@pytest.mark.parametrize("url", ["mail.test", "http://mail.test", "smtp://"])
def test_an_address_that_is_none_stops_the_start_and_says_so(url: str) -> None:
    answer = settings_with(url)
    assert answer.returncode != 0
    assert "KFWEB_SMTP_URL must be" in answer.stderr
