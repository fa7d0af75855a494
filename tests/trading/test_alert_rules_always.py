"""Whatever a figure does, a rule tells once a passage, never twice in the cooldown, and never of what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.alert_rules import KINDS, Band, Kind, Sense, Verdict, band_of, judge, objections

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
FIGURES = st.decimals(min_value=0, max_value=100, places=2)
STEPS = st.lists(
    st.tuples(st.none() | FIGURES, st.integers(min_value=1, max_value=900)), min_size=1, max_size=60
)  # a figure, and the seconds to the next


@st.composite
def bands(draw: st.DrawFn) -> Band:
    one, other = sorted([draw(FIGURES), draw(FIGURES)])
    return draw(st.sampled_from([Band(Sense.ABOVE, other, one), Band(Sense.BELOW, one, other)]))


def run(
    band: Band, steps: list[tuple[Decimal | None, int]], cooldown: timedelta
) -> list[tuple[datetime, Verdict, Decimal | None]]:
    """What a rule does along a path, as the sweep applies it."""
    now, fired, told_at, found = START, False, None, []
    for figure, seconds in steps:
        verdict = judge(band, figure, fired=fired, told_at=told_at, now=now, cooldown=cooldown)
        if verdict is Verdict.FIRE:
            fired, told_at = True, now
        elif verdict is Verdict.REARM:
            fired = False
        found.append((now, verdict, figure))
        now += timedelta(seconds=seconds)
    return found


@given(bands(), STEPS, st.integers(min_value=0, max_value=3600))
def test_between_two_firings_the_figure_came_back_and_the_cooldown_passed(
    band: Band, steps: list[tuple[Decimal | None, int]], cooldown: int
) -> None:
    fired: list[datetime] = []
    came_back = True
    for now, verdict, figure in run(band, steps, timedelta(seconds=cooldown)):
        if verdict is Verdict.FIRE:
            assert figure is not None
            assert band.is_beyond(figure)
            assert came_back, "fired twice without coming back"
            assert not fired or now - fired[-1] >= timedelta(seconds=cooldown)
            fired.append(now)
            came_back = False
        if verdict is Verdict.REARM:
            assert figure is not None
            assert band.is_back(figure)
            came_back = True


@given(bands(), st.lists(st.booleans(), min_size=2, max_size=40))
def test_a_figure_that_trembles_within_the_band_is_told_once(band: Band, up: list[bool]) -> None:
    steps: list[tuple[Decimal | None, int]] = [(band.threshold, 1)]
    nearly = (band.threshold + band.rearm) / 2 if band.threshold != band.rearm else band.threshold
    steps += [(band.threshold if high else nearly, 1) for high in up]
    verdicts = [verdict for _, verdict, _ in run(band, steps, timedelta(0))]
    assert verdicts.count(Verdict.FIRE) == 1


@given(bands(), STEPS)
def test_a_passage_that_lasts_is_told_at_last(band: Band, steps: list[tuple[Decimal | None, int]]) -> None:
    """The cooldown delays, and swallows nothing that is still so when it is over."""
    cooldown = timedelta(minutes=5)
    told = run(band, [*steps, (band.threshold, 300), (band.threshold, 300)], cooldown)
    last_fire = max(i for i, (_, verdict, _) in enumerate(told) if verdict is Verdict.FIRE)
    assert not any(verdict is Verdict.REARM for _, verdict, _ in told[last_fire + 1 :])


@given(bands(), FIGURES)
def test_no_figure_is_beyond_and_back_at_once(band: Band, figure: Decimal) -> None:
    assert not (band.is_beyond(figure) and band.is_back(figure))


@given(bands(), st.booleans())
def test_what_is_not_known_changes_nothing(band: Band, fired: bool) -> None:
    verdict = judge(band, None, fired=fired, told_at=None, now=START, cooldown=timedelta(0))
    assert verdict is Verdict.STAY


def test_every_kind_is_offered_with_points_that_are_allowed() -> None:
    assert KINDS.keys() == set(Kind)
    for kind, about in KINDS.items():
        assert list(objections(kind, about.threshold, about.rearm)) == []
        assert band_of(kind, about.threshold, about.rearm).is_beyond(about.threshold or Decimal(1))


@pytest.mark.parametrize(
    ("kind", "threshold", "rearm", "field"),
    [
        (Kind.MARGIN, None, None, "threshold"),
        (Kind.MARGIN, Decimal(0), None, "threshold"),
        (Kind.MARGIN, Decimal(101), None, "threshold"),
        (Kind.MARGIN, Decimal(70), Decimal(71), "rearm"),
        (Kind.LIQUIDATION, Decimal(10), Decimal(9), "rearm"),
        (Kind.STALE, Decimal(10), Decimal(-1), "rearm"),
    ],
)
def test_points_that_make_no_sense_are_refused_beside_their_input(
    kind: Kind, threshold: Decimal | None, rearm: Decimal | None, field: str
) -> None:
    assert field in {objection.field for objection in objections(kind, threshold, rearm)}
