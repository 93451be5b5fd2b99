"""Whole servers of this API, each in one process on an SQLite file: ours and the peer's.

Both keep an acknowledged write when their process is killed: write-ahead mode, not forced to the
disk with every commit.
"""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT, Failed, environment
from benchmarks.traffic import CONVERSATIONS

START_SECONDS = 60
END_SECONDS = 10

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
        request = urllib.request.Request(
            self.url + self.root,
            json.dumps({"items": items}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=START_SECONDS) as response:
            return str(json.load(response)["id"])


@contextmanager
def ours(folder: Path) -> Iterator[Server]:
    """`python -m local`: the Functions host, the app and the Cosmos DB stand-in."""
    port, cosmos_port = _free_ports(2)
    command = [sys.executable, "-m", "local", f"--port={port}", f"--cosmos-port={cosmos_port}"]
    command.append(f"--data={folder / 'ours.sqlite3'}")
    with _serve(command, port, CONVERSATIONS, folder / "ours.log") as server:
        yield server


@contextmanager
def peer(ogx: Path, folder: Path) -> Iterator[Server]:
    """llama-stack's `ogx run` with nothing but its conversations."""
    (port,) = _free_ports(1)
    config = folder / "peer.yaml"
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
            command,
            cwd=ROOT,
            env=environment(**settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(f"http://127.0.0.1:{port}", root, process.pid, log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                server.create([])
                break
            except OSError as error:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise Failed(f"{command[1]} did not start: {error}") from error
                time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
