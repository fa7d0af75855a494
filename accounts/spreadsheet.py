"""Cells of a CSV file that somebody opens in a spreadsheet."""

from __future__ import annotations

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would reckon with a cell that begins so


def harmless(cell: str) -> str:
    """The same as text: with an apostrophe before what would be taken for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
