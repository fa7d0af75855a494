from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from kfweb.up import up


class Command(BaseCommand):
    help = "Start the whole desk: store, web, worker, beat, relay and the demo exchange. Ctrl-C stops it."
    requires_system_checks: list[str] = []  # the children check; this parent should be up in no time

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        sys.exit(up(self.say))

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()  # into a pipe or a file too: somebody waits for the address
