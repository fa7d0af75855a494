"""Ask the advisory database about every pinned package. Not being able to ask is said loudly, never taken for a yes.

Exit code 1 when an advisory applies; also when the database is out of reach and KFWEB_REQUIRE_AUDIT is set.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    found, unasked = [], []
    for pins in ("run", "dev", "clients", "observe"):
        answer = subprocess.run(
            [str(Path(sys.executable).parent / "pip-audit"), "--requirement", f"requirements/{pins}.txt",
             "--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "15"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        try:
            packages = json.loads(answer.stdout)["dependencies"]
        except (json.JSONDecodeError, KeyError):
            unasked.append(f"{pins}: {(answer.stderr.strip().splitlines() or ['no answer'])[-1]}")
            continue
        if skipped := [p["name"] for p in packages if "skip_reason" in p]:
            unasked.append(f"{pins}: the database did not know {len(skipped)} of {len(packages)} packages")
        found += [f"{p['name']} {p['version']}: {v['id']}" for p in packages for v in p.get("vulns", [])]
    for line in found:
        print(f"ADVISORY {line}")
    for line in unasked:
        print(f"NOT AUDITED {line}")
    return 1 if found or (unasked and os.environ.get("KFWEB_REQUIRE_AUDIT")) else 0


if __name__ == "__main__":
    sys.exit(main())
