"""Imports point down, and turning one round is noticed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kfweb", "accounts", "trading", "krakenfutures", "demovenue")
LINTER = Path(sys.executable).parent / "lint-imports"

TURNED_ROUND = [
    ("accounts/rules.py", "import trading.models"),
    ("trading/models/order.py", "import kfweb.health"),
    ("krakenfutures/signing.py", "import accounts.rules"),
    ("krakenfutures/signing.py", "import krakenfutures.io.rest"),
    ("krakenfutures/values.py", "import django.utils"),
    ("demovenue/values/__init__.py", "import django.utils"),
    ("demovenue/values/__init__.py", "import krakenfutures.io.rest"),
    ("demovenue/values/__init__.py", "import krakenfutures.margin"),
    ("accounts/rules.py", "import demovenue.exchange"),
    ("trading/actions/placing.py", "import trading.views"),
    ("trading/models/order.py", "import trading.actions.placing"),
    ("accounts/models/user.py", "import accounts.views"),
]


def contracts_hold(folder: Path) -> bool:
    return subprocess.run([LINTER], cwd=folder, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_contracts_hold(copy: Path) -> None:
    assert contracts_hold(copy)


@pytest.mark.parametrize(("file", "line"), TURNED_ROUND)
def test_an_import_turned_round_is_refused(copy: Path, file: str, line: str) -> None:
    path = copy / file
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    try:
        assert not contracts_hold(copy)
    finally:
        path.write_text(before)
