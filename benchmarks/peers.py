"""Measure the same update on ours and on the peer, llama-stack, and write peers.md.

Ours is `python -m local`; the peer is `ogx run` with nothing but its conversations. Both run in one
process on one SQLite file in write-ahead mode that is not forced to the disk with every commit, so
both keep an acknowledged update when the process is killed. Ends within five minutes. Linux only.
"""

import argparse
import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.__main__ import HERE, last_lines, print_progress
from benchmarks.processes import ROOT, Child, Failed, cpu_seconds, environment, resident_bytes
from benchmarks.report import (
    HEADER,
    MEGABYTES,
    MICROSECONDS,
    MILLISECONDS,
    PER_SECOND,
    Row,
    machine,
    over,
    table,
)
from benchmarks.samples import Samples
from benchmarks.traffic import BODY

START_SECONDS = 60
END_SECONDS = 10
# No round starts later than this.
ROUND_SECONDS = 180
CLIENTS = (16, 1)

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
    """A running server with one conversation in it."""

    url: str
    target: str
    """The path of the conversation."""
    pid: int


def main(arguments: Sequence[str]) -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument(
        "--peer", type=Path, required=True, metavar="OGX", help="the peer's command"
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default 5")
    parser.add_argument("--updates", type=int, default=1_000, metavar="N", help="each time")
    parser.add_argument(
        "--output", type=Path, default=HERE, metavar="FOLDER", help="for the results"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            samples = measure(options.peer, options.rounds, options.updates, folder)
        except Failed as failure:
            sys.exit(f"The benchmark failed: {failure}\n{last_lines(folder)}")
    text = table(
        ("What", "Ours", "llama-stack", *HEADER[3:]), [row.cells() for row in rows(samples)]
    )
    print(text)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "peers.md").write_text(markdown(text))


def measure(peer: Path, rounds: int, updates: int, folder: Path) -> Samples:
    """Both servers in turn, several rounds; everything that is written goes to `folder`."""
    samples = Samples()
    with ExitStack() as stack:
        load = stack.enter_context(Child("benchmarks.load"))
        servers = {
            "ours": stack.enter_context(_ours(folder)),
            "peer": stack.enter_context(_peer(peer, folder)),
        }
        for server in servers.values():
            _send(load, server, updates // 5, 16)
        started = time.monotonic()
        for number in range(1, rounds + 1):
            if time.monotonic() - started > ROUND_SECONDS:
                print_progress(f"out of time: {number - 1} of {rounds} rounds")
                break
            print_progress(f"round {number} of {rounds}")
            for clients in CLIENTS:
                for name, server in servers.items():
                    cpu = cpu_seconds(server.pid)
                    answer = _send(load, server, updates, clients)
                    cpu = (cpu_seconds(server.pid) - cpu) / updates
                    print_progress(
                        f"  {name}, {clients} clients: {answer['updates_per_second']:.0f} updates/s"
                    )
                    samples.add(f"{name} throughput {clients}", answer["updates_per_second"])
                    samples.add(f"{name} p50 {clients}", answer["p50_ms"] / 1000)
                    samples.add(f"{name} p99 {clients}", answer["p99_ms"] / 1000)
                    samples.add(f"{name} cpu {clients}", cpu)
            for name, server in servers.items():
                samples.add(f"{name} memory", resident_bytes(server.pid))
    return samples


def rows(samples: Samples) -> Iterator[Row]:
    """Side by side, with the goals where there are some."""
    for clients in CLIENTS:
        who = "16 clients" if clients == 16 else "1 client"
        goals = {"throughput": 8.0, "p50": 1 / 6} if clients == 16 else {}
        for what, unit in (
            ("throughput", PER_SECOND),
            ("p50", MILLISECONDS),
            ("p99", MILLISECONDS),
            ("cpu", MICROSECONDS),
        ):
            label = f"CPU per update, {who}" if what == "cpu" else f"{what}, {who}"
            yield over(
                samples,
                label,
                f"ours {what} {clients}",
                (f"peer {what} {clients}",),
                goals.get(what),
                at_least=what == "throughput",
                unit=unit,
            )
    yield over(samples, "memory", "ours memory", ("peer memory",), 0.5, unit=MEGABYTES)


def markdown(text: str) -> str:
    """The page."""
    return f"""\
# The same update on another server

Written by `make bench-peers`. Compare ratios: absolute figures are those of one machine.

{text}

{machine()}

llama-stack is `ogx` (pinned in `requirements-peers.txt`), started as `ogx run CONFIG --insecure`
with `apis: [conversations]`, no providers, SQLite stores. Ours is started by `python -m local`:
the Functions host, the app and the Cosmos DB stand-in in one process, so each update of ours also
crosses a second HTTP connection, to the stand-in. Both keep their conversations in an SQLite file
in write-ahead mode with `synchronous = NORMAL`.

One conversation is created; then 16 clients update it, each after the answer to its last update,
and then one client does. Both servers are up all the time and measured in turn, in several rounds:
median, lowest and highest, and the ratio within each round. CPU is the user and system time of
the server process, memory its resident set.
"""


@contextmanager
def _ours(folder: Path) -> Iterator[Server]:
    port, cosmos_port = _free_ports(2)
    command = [sys.executable, "-m", "local", f"--port={port}", f"--cosmos-port={cosmos_port}"]
    with _serve(
        [*command, f"--data={folder / 'ours.sqlite3'}"],
        port,
        "/openai/v1/conversations",
        folder / "ours.log",
    ) as server:
        yield server


@contextmanager
def _peer(ogx: Path, folder: Path) -> Iterator[Server]:
    (port,) = _free_ports(1)
    config = folder / "peer.yaml"
    config.write_text(PEER_CONFIG.format(folder=folder))
    command = [str(ogx.absolute()), "run", str(config), "--insecure", f"--port={port}"]
    with _serve(command, port, "/v1/conversations", folder / "peer.log", home=folder) as server:
        yield server


@contextmanager
def _serve(
    command: list[str], port: int, path: str, log: Path, home: Path | None = None
) -> Iterator[Server]:
    """Run a server until the block ends, and create one conversation in it."""
    home_setting = {"HOME": str(home)} if home else {}  # what it leaves there must not stay
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(**home_setting),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        id_ = _create(process, port, path)
        yield Server(f"http://127.0.0.1:{port}", f"{path}/{id_}", process.pid)
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _create(process: subprocess.Popen[bytes], port: int, path: str) -> str:
    """Create a conversation as soon as the server is up. Returns its id. Raises Failed."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        try:
            connection.request("POST", path, BODY, {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read()
        except ConnectionError:
            time.sleep(0.1)
            continue
        finally:
            connection.close()
        if response.status != 200:
            raise Failed(f"creating a conversation: {response.status} {content!r}")
        return str(json.loads(content)["id"])
    raise Failed("a server did not start")


def _send(load: Child, server: Server, updates: int, in_flight: int) -> dict[str, Any]:
    return load.ask(
        url=server.url, targets=[(server.target, None)], updates=updates, in_flight=in_flight
    )


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


if __name__ == "__main__":
    main(sys.argv[1:])
