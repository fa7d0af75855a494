from __future__ import annotations

import hashlib
from typing import Any

from django.db import models

from trading import workspace


class Workspace(models.Model):
    """How one person keeps the trade page, in every browser of theirs."""

    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, related_name="workspace")
    preset = models.CharField(max_length=12, choices=list(workspace.PRESETS.items()), default="standard")
    locked = models.BooleanField(default=True)  # nothing is resized by accident
    sizes = models.JSONField(default=dict)  # {preset: {part: pixels}}, where they are not the usual ones
    markets = models.JSONField(default=dict)  # {symbol: {"group", "form", "tape_from"}}, the last used one last
    indicators = models.JSONField(default=list)  # keys of `workspace.INDICATORS`
    sound = models.BooleanField(default=False)  # a tone for every fill
    notices = models.BooleanField(default=False)  # a notice of the browser for every fill

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(preset__in=list(workspace.PRESETS)), name="a_known_preset")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.preset}"

    @property
    def drawn(self) -> dict[str, int]:
        return workspace.sizes_of(self.preset, self.sizes)

    @property
    def stylesheet(self) -> str:
        return workspace.stylesheet(self.preset, self.sizes)

    @property
    def usual_form(self) -> str:
        """Of the book, where nothing else was chosen for an instrument."""
        return "ladder" if self.preset == "ladder" else "book"

    @property
    def version(self) -> str:
        """Changes whenever the stylesheet does."""
        return hashlib.sha256(self.stylesheet.encode()).hexdigest()[:12]

    def market(self, symbol: str) -> dict[str, Any]:
        return {"group": "1", "form": "", "tape_from": "0", **self.markets.get(symbol, {})}
