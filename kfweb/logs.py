"""Structured logs, one JSON object a line on standard error, with secrets taken out before anything is written."""

from __future__ import annotations

import logging
import logging.config
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

SECRET_NAMES = re.compile(
    r"secret|password|passwd|private|authent|token|cookie|master|nonce|signed|challenge|session_?key|api_?key",
    re.I,
)
LONG_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")  # what a key, a signature or a token looks like
HIDDEN = "[hidden]"


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """Hide values whose name says secret, and anything in a text that looks like one."""
    return redacted(event)


def redacted(event: Mapping[str, Any]) -> dict[str, Any]:
    return {key: HIDDEN if SECRET_NAMES.search(str(key)) else _clean(value) for key, value in event.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return LONG_BASE64.sub(HIDDEN, value)
    if isinstance(value, dict):
        return redacted(value)
    if isinstance(value, list | tuple):
        return [_clean(part) for part in value]
    return value


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.format_exc_info,
    redact,
]


def logging_config(*, debug: bool) -> None:
    level = "DEBUG" if debug else "INFO"
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": SHARED,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.JSONRenderer(),
                    ],
                }
            },
            "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"handlers": ["console"], "level": "WARNING"},
            "loggers": {
                "kfweb": {"level": level},
                "accounts": {"level": level},
                "trading": {"level": level},
                "krakenfutures": {"level": level},
                "celery": {"level": "WARNING"},
                "daphne": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[
            *SHARED[:-2],
            structlog.processors.format_exc_info,
            redact,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
