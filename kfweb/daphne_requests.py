"""Daphne's requests, without the form that Twisted reads out of their bodies: only Django's reading is used.

Twisted's takes the loop's time, knows no limit, and costs a quarter of all that Daphne does for a request.
"""

from __future__ import annotations

from functools import partial

from daphne import http_protocol


def install() -> None:
    """For the connections made from now on. Daphne itself offers no choice."""
    http_protocol.WebRequest = partial(http_protocol.WebRequest, parsePOSTFormSubmission=False)
