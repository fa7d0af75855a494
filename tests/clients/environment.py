"""A virtual environment for somebody else's client, so that its libraries and ours never have to agree.

It is made once from `requirements/client_NAME.txt`, with hashes, kept in `.venv-clients/` and made again when that
file changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".venv-clients"


def client_python(name: str) -> Path:
    """The interpreter of the client's environment. Raises CalledProcessError, with pip's words, when it cannot be."""
    pins = ROOT / "requirements" / f"client_{name}.txt"
    wanted = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()
    folder = HOME / name
    HOME.mkdir(exist_ok=True)
    with (HOME / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the runner's workers start together
        made = folder / "made-from"
        if not made.exists() or made.read_text() != wanted:
            _make(folder, pins)
            made.write_text(wanted)
    return folder / "bin" / "python"


def _make(folder: Path, pins: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    install = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--require-hashes", "-r", str(pins)], check=True)
