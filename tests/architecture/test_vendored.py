"""What others wrote is kept as they published it, with its licence, and nothing else lies beside it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

VENDOR = Path(__file__).resolve().parents[2] / "static/vendor"
MANIFEST: list[dict[str, Any]] = json.loads((VENDOR / "MANIFEST.json").read_text())


def folder_of(entry: dict[str, Any]) -> Path:
    return VENDOR / f"{entry['name']}@{entry['version']}"


def test_every_vendored_folder_is_in_the_manifest() -> None:
    assert {path.name for path in VENDOR.iterdir() if path.is_dir()} == {folder_of(one).name for one in MANIFEST}


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["name"])
def test_vendored_files_are_unchanged_and_licensed(entry: dict[str, Any]) -> None:
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder_of(entry).iterdir()}
    assert found == entry["files"]
    assert "LICENSE" in found
    assert entry["licence"]


def test_a_template_names_only_versions_that_are_here() -> None:
    templates = (VENDOR.parents[1] / "templates").rglob("*.html")
    named = {
        word.split("/")[1] for path in templates for word in path.read_text().split("'") if word.startswith("vendor/")
    }
    assert named <= {folder_of(one).name for one in MANIFEST}
