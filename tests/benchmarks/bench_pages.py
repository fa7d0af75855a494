"""Overview and trade page: server time against an empty view under the same middleware, queries, and weight."""

from __future__ import annotations

import posixpath
import re
import statistics
import time

from tests.benchmarks.result import Result
from tests.benchmarks.served import Served, referred

PAGES = {"Overview": "/", "Instrument page": "/trade/PF_XBTUSD/"}
TIMES, QUERIES, WEIGHT = 6.0, 15, 250_000
ROUNDS, POSITIONS = 200, 20


def main() -> list[Result]:
    served = Served(positions=POSITIONS)
    results = []
    for name, address in PAGES.items():
        results += [speed(served, name, address), queries(served, name, address), weight(served, name, address)]
    return results


def speed(served: Served, name: str, address: str) -> Result:
    """Alternately, so that whatever else the machine does meets both."""
    page, empty = [], []
    for number in range(ROUNDS + 20):
        for into, where in ((empty, "/empty/"), (page, address)):
            began = time.perf_counter()
            status, _, _ = served.get(where)
            if number >= 20:
                into.append(time.perf_counter() - began)
            assert status.startswith("200"), (where, status)
    ratio = statistics.median(page) / statistics.median(empty)
    return Result(
        what=f"{name}, server time (p50)",
        measured=f"{ratio:.1f}× an empty view",
        target=f"≤ {TIMES:.0f}×",
        ok=ratio <= TIMES,
        detail=f"{statistics.median(page) * 1000:.1f} ms against {statistics.median(empty) * 1000:.1f} ms.",
    )


def queries(served: Served, name: str, address: str) -> Result:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        served.get(address)
    count = len(captured)
    detail = f"With {POSITIONS} positions; a test holds it with 60."
    return Result(f"{name}, queries", str(count), f"≤ {QUERIES}", count <= QUERIES, detail)


def weight(served: Served, name: str, address: str) -> Result:
    _, _, html = served.get(address)
    sizes = {address: len(html)}
    waiting = list(referred(html.decode()))
    while waiting:
        file = waiting.pop()
        if file in sizes:
            continue
        status, headers, body = served.get(file)
        assert status.startswith("200"), (file, status)
        sizes[file] = len(body)
        if file.endswith(".js"):
            waiting += [
                posixpath.normpath(posixpath.join(posixpath.dirname(file), found)) for found in imports(headers, body)
            ]
    whole = sum(sizes.values())
    return Result(
        what=f"{name}, weight of a first visit",
        measured=f"{whole / 1000:.0f} kB in {len(sizes)} files",
        target=f"≤ {WEIGHT / 1000:.0f} kB compressed",
        ok=whole <= WEIGHT,
        detail=f"Of that {sizes[address] / 1000:.0f} kB are the page, sent as it is.",
    )


def imports(headers: dict[str, str], body: bytes) -> list[str]:
    import gzip

    text = (gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body).decode()
    return re.findall(r'(?:from|import)\s*"(\.[^"]+)"', text)
