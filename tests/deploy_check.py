"""`check --deploy` as a desk behind TLS would be checked, and no migration missing."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
import tempfile


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "KFWEB_DATA_DIR": folder,
            "KFWEB_HTTPS": "yes",
            "KFWEB_SECRET_KEY": secrets.token_urlsafe(60),
            "KFWEB_MASTER_KEYS": "check:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        }
        for command in (["check", "--deploy", "--fail-level", "WARNING"], ["makemigrations", "--check", "--dry-run"]):
            if code := subprocess.call([sys.executable, "manage.py", *command], env=environment):
                return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
