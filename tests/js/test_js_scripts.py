"""The page's scripts: every one parses, and the plain ones do what their own tests say, in Node."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SCRIPTS = sorted((HERE.parents[1] / "static/js").glob("*.js"))
NODE_MISSING = "There is no Node here, so no script was run (Debian: apt install nodejs)."


@pytest.fixture(scope="session")
def node() -> str:
    """Without Node: skip at home and say so, fail in CI."""
    found = shutil.which("node")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(NODE_MISSING)
        pytest.skip(NODE_MISSING)
    return found


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_parses(node: str, script: Path) -> None:
    ran = subprocess.run([node, "--check", script], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("script", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_a_plain_script_does_what_its_tests_say(node: str, script: Path) -> None:
    ran = subprocess.run([node, "--test", script], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout
