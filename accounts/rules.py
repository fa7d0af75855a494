"""Our own rules: who may do what, and the refusal that says why not."""

from __future__ import annotations


class NotAllowed(Exception):
    """A rule of ours says no. `reason` is a sentence for the person; `field` names the input to blame, if any."""

    def __init__(self, reason: str, *, field: str | None = None, code: str = "not_allowed") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field
        self.code = code
