from __future__ import annotations

from django.apps import AppConfig


class KfwebConfig(AppConfig):
    name = "kfweb"

    def ready(self) -> None:
        from kfweb import correlation, observe

        assert correlation  # its receivers listen from here on
        observe.begin()
