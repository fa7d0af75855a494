"""Colours are told apart on their ground, pages carry no style of their own."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOKENS = (ROOT / "static/css/tokens.css").read_text()
PAIR = re.compile(r"(--[\w-]+): light-dark\(oklch\(([^)]*)\), oklch\(([^)]*)\)\)")
COLOURS = {name: (light, dark) for name, light, dark in PAIR.findall(TOKENS.split("@media")[0])}

READ = [
    (text, ground)
    for text in ("--text", "--muted", "--accent", "--buy", "--sell", "--healthy", "--uncertain", "--critical")
    for ground in ("--ground", "--panel")
]
READ += [("--text", "--raised"), ("--muted", "--raised"), ("--on-accent", "--accent"), ("--on-side", "--buy")]
READ += [("--on-side", "--sell"), ("--text", "--buy-wash"), ("--text", "--sell-wash"), ("--text", "--tint")]
READ += [("--buy", "--buy-wash"), ("--sell", "--sell-wash")]
SEEN = [(mark, "--panel") for mark in ("--caution", "--warning", "--critical", "--line-strong")]


def luminance(oklch: str) -> float:
    """Relative luminance (WCAG) of `L C H`."""
    lightness, chroma, hue = (float(word) for word in oklch.split())
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    red, green, blue = (min(max(part, 0.0), 1.0) for part in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), READ)
def test_words_and_figures_can_be_read_on_their_ground(text: str, ground: str, theme: int) -> None:
    assert contrast(COLOURS[text][theme], COLOURS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("mark", "ground"), SEEN)
def test_marks_and_edges_can_be_seen_on_their_ground(mark: str, ground: str, theme: int) -> None:
    assert contrast(COLOURS[mark][theme], COLOURS[ground][theme]) >= 3


def test_no_template_brings_a_style_or_a_script_of_its_own() -> None:
    templates = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.jinja")]
    assert len(templates) > 20
    for path in templates:
        text = re.sub(r"\{%.*?%\}", "", path.read_text())
        assert not re.search(
            r"\sstyle=|<style|\son\w+=|<script(?![^>]*(\bsrc=|application/json))|hx-on|javascript:", text
        ), path


def test_colours_stand_in_one_file() -> None:
    for path in (ROOT / "static/css").glob("*.css"):
        if path.name != "tokens.css":
            assert not re.search(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(", path.read_text()), path
