"""Static files under hashed names, ES-module imports rewritten to them."""

from __future__ import annotations

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    support_js_module_import_aggregation = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._addresses: dict[tuple[str, str], str] = {}

    def url(self, name: str, force: bool = False) -> str:
        """Worked out once for each file and its hash: every page asks for ten."""
        known = (name, self.hashed_files.get(name, ""))
        if not known[1] or force:
            return str(super().url(name, force))
        if known not in self._addresses:
            self._addresses[known] = super().url(name, force)
        return self._addresses[known]
