from __future__ import annotations

from django.db import models

from trading.models.history import OfDeskQuerySet


class LogFile(models.Model):
    """Kraken's own file of an account log, held against ours line by line. `problem`: why it could not be compared."""

    class State(models.TextChoices):
        FETCHING = "fetching", "Being fetched"
        COMPARING = "comparing", "Being compared"
        DONE = "done", "Compared"
        FAILED = "failed", "Not compared"

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    name = models.CharField(max_length=120)
    header = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State)
    problem = models.CharField(max_length=300, blank=True)
    lines = models.PositiveIntegerField(default=0)  # of entries, the first line not counted
    compared = models.PositiveIntegerField(default=0)
    equal = models.PositiveIntegerField(default=0)
    different = models.PositiveIntegerField(default=0)
    only_there = models.PositiveIntegerField(default=0)
    only_here = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)

    objects = OfDeskQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def percent(self) -> int:
        return 100 * self.compared // self.lines if self.lines else 0

    @property
    def is_at_work(self) -> bool:
        return self.state in {self.State.FETCHING, self.State.COMPARING}


class LogFileLine(models.Model):
    """A line still to be compared, or what the comparison found. Lines that are equal leave when it is done."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        EQUAL = "equal", "Equal"
        DIFFERENT = "different", "Different"
        ONLY_THERE = "only_there", "Only in the file"
        ONLY_HERE = "only_here", "Only here"
        UNREADABLE = "unreadable", "Could not be read"

    file = models.ForeignKey(LogFile, on_delete=models.CASCADE, related_name="found")
    line = models.PositiveIntegerField(null=True)  # of the file, the header is 1; None where only we have it
    number = models.BigIntegerField(null=True)  # of our log entry
    text = models.TextField()  # as it came
    state = models.CharField(max_length=10, choices=State)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["file", "state", "id"], name="line_by_state"),
            models.Index(fields=["file", "number"], name="line_by_number"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.state}"
