"""The shape of the house, guarded by tests instead of by memory."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = re.compile(r'env(?:_list|_int|_bool)?\(\s*"([A-Z_]+)"')


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_every_setting_is_in_the_docs() -> None:
    documented = (ROOT / "docs/reference/environment.md").read_text()
    read = set(VARIABLE.findall((ROOT / "kfweb/settings.py").read_text()))
    assert read
    assert {name for name in read if f"`{name}`" not in documented} == set()


def test_every_pin_has_a_hash_and_names_no_address() -> None:
    for pins in (ROOT / "requirements").glob("*.txt"):
        text = pins.read_text()
        assert "://" not in text
        assert "index-url" not in text
        packages = re.findall(r"^[a-z0-9][\w.\[\]-]*==.*(?:\n    --hash=.*)+", text, re.MULTILINE)
        assert len(packages) == len(re.findall(r"^[a-z0-9][\w.\[\]-]*==", text, re.MULTILINE)) > 0


def test_no_migration_is_missing(db: None) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_no_page_carries_inline_script_or_style() -> None:
    for template in tracked("templates/*.html", "demovenue/*.html"):
        text = template.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text), template
        assert not re.search(r"<[^>]+\s(?:style|on[a-z]+)=", text), template
        assert "<style" not in text, template
