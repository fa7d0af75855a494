"""Bells that apps above ring in: this package imports nothing that stands higher."""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

after_key_added: list[Callable[[int], None]] = []  # called after the commit with the key's id


def key_added(api_key_id: int) -> None:
    """Ring everybody. A listener's trouble is logged: the key is stored, and beat sweeps up what was missed."""
    for listener in after_key_added:
        try:
            listener(api_key_id)
        except Exception:
            log.exception("a listener failed after key %s was added", api_key_id)
