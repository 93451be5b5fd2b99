"""Whole servers of this API, each in one process on an SQLite file: ours and the peer's.

Both keep an acknowledged write when their process is killed: write-ahead mode, not forced to the
disk with every commit.
"""

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT, Failed, environment
from benchmarks.traffic import CONVERSATIONS

START_SECONDS = 60
PEER_CONFIG = """\
version: 2
distro_name: benchmark
apis: [conversations]
providers: {{}}
server: {{host: 127.0.0.1}}
storage:
  backends:
    kv_default: {{type: kv_sqlite, db_path: "{folder}/kv.sqlite3"}}
    sql_default: {{type: sql_sqlite, db_path: "{folder}/sql.sqlite3"}}
"""


@dataclass(frozen=True)
class Server:
    """A running server; `root` is the path of its conversations."""

    url: str
    root: str
    pid: int
    log: Path

    def create(self, items: list[Any]) -> str:
        """Create a conversation. Returns its id."""
        body = json.dumps({"items": items}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + self.root, body, headers)
        with urllib.request.urlopen(request, timeout=START_SECONDS) as response:
            return str(json.load(response)["id"])


@contextmanager
def ours(folder: Path) -> Iterator[Server]:
    """`python -m local`: the Functions host, the app and the Cosmos DB stand-in."""
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "local",
        f"--port={port}",
        "--cosmos-port=0",
        "--dashboard-port=0",
    ]
    command.append(f"--data={folder / 'ours.sqlite3'}")
    with _serve(command, port, CONVERSATIONS, folder / "ours.log") as server:
        yield server


@contextmanager
def peer(ogx: Path, folder: Path) -> Iterator[Server]:
    """llama-stack's `ogx run` with nothing but its conversations."""
    port, config = _free_port(), folder / "peer.yaml"
    config.write_text(PEER_CONFIG.format(folder=folder))
    command = [str(ogx.absolute()), "run", str(config), "--insecure", f"--port={port}"]
    home = {"HOME": str(folder)}  # what it leaves there must not stay
    with _serve(command, port, "/v1/conversations", folder / "peer.log", **home) as server:
        yield server


@contextmanager
def _serve(
    command: list[str], port: int, root: str, log: Path, **settings: str
) -> Iterator[Server]:
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(**settings), stdout=output, stderr=output
        )
    server = Server(f"http://127.0.0.1:{port}", root, process.pid, log)
    try:
        _wait(server, process)
        yield server
    finally:
        process.kill()
        process.wait()


def _wait(server: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            server.create([])
            return
        time.sleep(0.1)
    raise Failed(f"{process.args!r} did not start")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
