"""Jinja escapes what comes from elsewhere; what it writes as it is are figures."""

from __future__ import annotations

from decimal import Decimal

import jinja2
import pytest
from django.template import engines

from kfweb.drawing import FIGURES

EVIL = '<script>"'


def drawn(text: str, **values: object) -> str:
    return str(engines["drawn"].env.from_string(text).render(**values))  # type: ignore[attr-defined]


def test_words_from_elsewhere_are_escaped() -> None:
    assert "<" not in drawn("{{ word }} {{ word|code }} {{ word ~ word }} {{ word|default('') }}", word=EVIL)


@pytest.mark.parametrize("name", sorted(FIGURES))
@pytest.mark.parametrize("value", [Decimal("-1234.5"), None, ""])
def test_a_figure_holds_nothing_to_escape_whatever_its_unit(name: str, value: Decimal | None) -> None:
    argument = {"free": "", "signed_percent": "", "fixed": "(2)", "signed": "(2)", "average": "(2)", "percent": "(2)"}
    text = drawn("{{ value|" + name + argument.get(name, "(unit)") + " }}", value=value, unit=EVIL)
    assert not set(text) & set("<>&\"'")


def test_a_name_that_is_not_there_is_said() -> None:
    with pytest.raises(jinja2.UndefinedError):
        drawn("{{ nobody }}")
