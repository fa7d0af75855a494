"""A pytest plugin, loaded before the settings are: every test process gets its own data folder, key and store."""

from __future__ import annotations

import atexit
import base64
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="kfweb-test-"))


def _store() -> str:
    """A real Valkey for this process alone, or a database of its own in the server that REDIS_URL names.

    The runner's workers inherit the runner's environment, so what the user had set is kept under another name.
    """
    given = os.environ.setdefault("KFWEB_TEST_REDIS_URL", os.environ.get("REDIS_URL", ""))
    if given:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
        return f"{given.rstrip('/')}/{int(worker) + 1}"
    from kfweb import store  # imported here: importing it earlier would read the settings too soon

    socket = FOLDER / "store" / "s"
    store.prepare_folder(socket)
    process = subprocess.Popen(store.command(socket), stdout=subprocess.DEVNULL)
    atexit.register(process.kill)
    store.wait(f"unix://{socket}", process)
    return f"unix://{socket}"


os.environ |= {
    "DJANGO_SETTINGS_MODULE": "kfweb.settings",
    "KFWEB_DATA_DIR": str(FOLDER),
    "KFWEB_MASTER_KEYS": "test:" + base64.b64encode(secrets.token_bytes(32)).decode(),
    "KFWEB_OWNER_EMAIL": "",
    "KFWEB_OWNER_PASSWORD": "",
}
os.environ["REDIS_URL"] = _store()
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
