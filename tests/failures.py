"""A pytest plugin: leaves the names of what failed in the file that KFWEB_TEST_FAILURES names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

failed: dict[str, None] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        failed[report.nodeid] = None


def pytest_sessionfinish() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:  # the workers report to the one who writes
        Path(os.environ["KFWEB_TEST_FAILURES"]).write_text("\n".join(failed))
