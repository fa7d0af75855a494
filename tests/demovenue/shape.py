"""Is an answer of the same shape as a recorded one? Names, nesting, kinds of values and formats of texts; not values.

Lists are compared with the union of their samples: a name that every sample row has must be there, a name that
some have may be. Objects named in `maps` have free names (currencies, symbols).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[1] / "fixtures/kraken/samples"
MAPS = frozenset(
    {
        "balances",
        "currencies",
        "holding",
        "futures",
        "volumesByFeeSchedule",
        "isolated",
        "rebateLevels",
        "marginSchedules",
    }
)
_FORMATS = {
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z"),
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "decimal": re.compile(r"-?\d+(\.\d+)?"),
}


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def assert_shape(
    answer: Any, sample_name: str, *, optional: Iterable[str] = (), extra: Iterable[str] = (), at: str | None = None
) -> None:
    """`optional`: names an answer may lack, or have null; `extra`: names it may have beyond the sample's."""
    wanted = sample(sample_name)
    for step in at.split(".") if at else ():
        wanted = wanted[int(step)] if step.isdigit() else wanted[step]
    found = list(differences(answer, [wanted], frozenset(optional), frozenset(extra), "answer"))
    assert not found, "\n".join(found)


def differences(
    actual: Any, samples: list[Any], optional: frozenset[str], extra: frozenset[str], where: str
) -> Iterator[str]:
    name = where.rsplit(".", 1)[-1]
    if actual is None:
        if name not in optional and all(one is not None for one in samples):
            yield f"{where}: null, but never recorded so"
        return
    samples = [one for one in samples if one is not None]
    if not samples:
        return
    if isinstance(actual, dict) and all(isinstance(one, dict) for one in samples):
        if name in MAPS:
            values = [value for one in samples for value in one.values()]
            for key, value in actual.items():
                yield from differences(value, values, optional, extra, f"{where}.{key}") if values else ()
        else:
            yield from _of_objects(actual, samples, optional, extra, where)
    elif isinstance(actual, list) and all(isinstance(one, list) for one in samples):
        rows = [row for one in samples for row in one]
        for place, row in enumerate(actual):
            yield from differences(row, rows, optional, extra, f"{where}.{place}") if rows else ()
    elif not {kind(actual)} & {kind(one) for one in samples}:
        yield f"{where}: {kind(actual)} {actual!r}, recorded as {kind(samples[0])} {samples[0]!r}"


def _of_objects(
    actual: dict[str, Any], samples: list[dict[str, Any]], optional: frozenset[str], extra: frozenset[str], where: str
) -> Iterator[str]:
    always = set.intersection(*(set(one) for one in samples))
    known = set().union(*samples)
    for missing in always - actual.keys() - optional:
        yield f"{where}.{missing}: missing"
    for key, value in actual.items():
        if key not in known:
            if key not in extra:
                yield f"{where}.{key}: never recorded"
            continue
        yield from differences(value, [one[key] for one in samples if key in one], optional, extra, f"{where}.{key}")


def kind(value: Any) -> str:
    """The JSON kind; texts also by what they hold."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return next((name for name, form in _FORMATS.items() if form.fullmatch(value)), "text")
    return {dict: "object", list: "list", type(None): "null"}[type(value)]
