"""When an alert fires and when it is ready to fire again. Plain values only.

A rule fires once when its figure passes the threshold, and not again before the figure has come back beyond the point
of return: a figure that trembles around the threshold is told once. Between two firings lies the cooldown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from accounts.rules import NotAllowed


class Kind(StrEnum):
    MARGIN = "margin"
    LIQUIDATION = "liquidation"
    FUNDING = "funding"
    STALE = "stale"
    REVIEW = "review"
    UNCERTAIN = "uncertain"
    KEY = "key"
    DEADMAN = "deadman"
    FILL = "fill"
    REJECTION = "rejection"


class Sense(StrEnum):
    """How the figure of a kind is judged."""

    ABOVE = "above"  # fires at the threshold or more, returns below the lower point
    BELOW = "below"  # fires at the threshold or less, returns above the higher point
    STATE = "state"  # there is no figure: it is so, or it is not
    EVENT = "event"  # it happens, and every time is told


@dataclass(frozen=True, slots=True)
class About:
    """What a kind is, for the form and for the page."""

    label: str
    sense: Sense
    help: str
    unit: str = ""
    threshold: Decimal | None = None  # as offered
    rearm: Decimal | None = None
    level: str = "warning"
    largest: Decimal = Decimal(1_000_000)
    of_symbol: bool = False  # may be narrowed down to one instrument
    usual: bool = False  # among the rules a desk may begin with


D = Decimal
KINDS: dict[Kind, About] = {
    Kind.MARGIN: About(
        "Margin level", Sense.ABOVE, "Maintenance margin over equity, as on the overview; 100 means liquidation.",
        "%", D(70), D(65), "critical", D(100), usual=True,
    ),
    Kind.LIQUIDATION: About(
        "Liquidation distance", Sense.BELOW, "From the mark to a position's liquidation price, as in the table.",
        "%", D(10), D(12), "critical", D(1000), of_symbol=True, usual=True,
    ),
    Kind.FUNDING: About(
        "Funding rate", Sense.ABOVE, "An hour, in either direction, of instruments that are held or of the one named.",
        "%", D("0.05"), D("0.04"), "info", D(100), of_symbol=True,
    ),
    Kind.STALE: About(
        "Stale feed", Sense.ABOVE, "Since the exchange was last heard of, or since wallets and positions were read.",
        "s", D(60), D(20), "warning", usual=True,
    ),
    Kind.REVIEW: About(
        "Waiting review", Sense.ABOVE, "A withdrawal has waited for so long. Told to those whose vote counts.",
        "min", D(30), D(30), "warning", usual=True,
    ),
    Kind.UNCERTAIN: About(
        "Uncertain outcome", Sense.ABOVE, "An order or a withdrawal whose outcome is not proven for so long.",
        "s", D(60), D(60), "critical", usual=True,
    ),
    Kind.KEY: About(
        "Failing key", Sense.STATE, "The exchange refuses a key of the desk.", level="critical", usual=True
    ),
    Kind.DEADMAN: About(
        "Dead man's switch", Sense.STATE, "It could not be renewed, or it has fired.", level="critical", usual=True
    ),
    Kind.FILL: About("Fill", Sense.EVENT, "Something was traded.", level="info", of_symbol=True),
    Kind.REJECTION: About(
        "Rejection", Sense.EVENT, "The exchange refused an order of this desk.", level="warning", of_symbol=True
    ),
}  # fmt: skip


class Verdict(StrEnum):
    FIRE = "fire"
    REARM = "rearm"
    STAY = "stay"


@dataclass(frozen=True, slots=True)
class Band:
    """Fires at one point, returns at the other. Without points it is a state: the figure is 1 or 0."""

    sense: Sense
    threshold: Decimal
    rearm: Decimal

    def is_beyond(self, figure: Decimal) -> bool:
        return figure <= self.threshold if self.sense is Sense.BELOW else figure >= self.threshold

    def is_back(self, figure: Decimal) -> bool:
        """Never at once beyond and back, also where both points are the same."""
        if self.is_beyond(figure):
            return False
        return figure >= self.rearm if self.sense is Sense.BELOW else figure <= self.rearm


STATE_BAND = Band(Sense.STATE, Decimal(1), Decimal(0))


def band_of(kind: Kind, threshold: Decimal | None, rearm: Decimal | None) -> Band:
    if threshold is None:
        return STATE_BAND
    return Band(KINDS[kind].sense, threshold, threshold if rearm is None else rearm)


def judge(
    band: Band,
    figure: Decimal | None,
    *,
    fired: bool,
    told_at: datetime | None,
    now: datetime,
    cooldown: timedelta,
) -> Verdict:
    """What to do now. A figure that is not known proves nothing: all stays as it is."""
    if figure is None:
        return Verdict.STAY
    if fired:
        return Verdict.REARM if band.is_back(figure) else Verdict.STAY
    rested = told_at is None or now - told_at >= cooldown
    return Verdict.FIRE if band.is_beyond(figure) and rested else Verdict.STAY


def objections(kind: Kind, threshold: Decimal | None, rearm: Decimal | None) -> Iterator[NotAllowed]:
    """What is wrong with the points of a rule, each with the input to blame."""
    about = KINDS[kind]
    if about.sense in {Sense.STATE, Sense.EVENT}:
        return
    if threshold is None:
        yield NotAllowed("Say from which figure on it fires.", field="threshold", code="missing")
        return
    if not 0 < threshold <= about.largest:
        yield NotAllowed(f"More than 0, and {about.largest} at most.", field="threshold", code="range")
    if rearm is None:
        return
    if about.sense is Sense.ABOVE and rearm > threshold:
        yield NotAllowed("It returns below where it fires, or there.", field="rearm", code="band")
    if about.sense is Sense.BELOW and rearm < threshold:
        yield NotAllowed("It returns above where it fires, or there.", field="rearm", code="band")
    if rearm < 0:
        yield NotAllowed("Not below 0.", field="rearm", code="range")
