"""What a browser that only listens costs one web process."""

from __future__ import annotations

import subprocess
import time

from tests.benchmarks.result import Result
from tests.benchmarks.rig import Rig, load, resident_kb, rig, told

FIRST, SOCKETS = 50, 1000


def main() -> list[Result]:
    with rig() as desk:
        each = run(desk)
    return [Result("memory per idle socket", f"{each:.1f} kB", "≤ 40 kB", each <= 40, f"{SOCKETS} sockets.")]


def run(desk: Rig) -> float:
    process, port = desk.daphne("kfweb.asgi:application")
    options = {"cookie": desk.cookie, "streams": ["link:demo"], "idle": True}
    early = load(port, sockets=FIRST, **options)  # what the first ones warm up is not theirs
    told(early, "ready")
    time.sleep(2)
    before = resident_kb(process.pid)
    many = load(port, sockets=SOCKETS, **options)
    told(many, "ready")
    time.sleep(5)
    after = resident_kb(process.pid)
    for generator in (early, many):
        end(generator)
    return (after - before) / SOCKETS


def end(generator: subprocess.Popen[bytes]) -> None:
    generator.terminate()
    generator.wait()
