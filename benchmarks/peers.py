"""Measure the same requests on ours and on the peer, llama-stack, and write peers.md.

Both run in one process on one SQLite file. Ends within five minutes. Linux only.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import servers
from benchmarks.__main__ import HERE, last_lines, print_progress
from benchmarks.measure import Samples
from benchmarks.processes import Child, Failed, cpu_seconds, resident_bytes
from benchmarks.report import (
    HEADER,
    MEGABYTES,
    MICROSECONDS,
    MILLISECONDS,
    PER_SECOND,
    Row,
    markdown,
    over,
    table,
)
from benchmarks.traffic import ITEMS, MEASURED, PAGE

# No round starts later than this.
ROUND_SECONDS = 200
CLIENTS = 16
CONVERSATIONS = 16
# What an operation's throughput may be of the peer's at least, its p50 and its p99 at most.
GOALS: dict[str, tuple[float, float | None, float | None]] = {
    "update": (12, 1 / 8, None),
    "append": (10, 1 / 8, None),
    "list": (10, 1 / 8, None),
    "create": (5, None, 1 / 20),
}


def main(arguments: Sequence[str]) -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    add = parser.add_argument
    add("--peer", type=Path, required=True, metavar="OGX", help="the peer's command")
    add("--rounds", type=int, default=5, metavar="N", help="default 5")
    add("--requests", type=int, default=400, metavar="N", help="of each operation in a round")
    add("--output", type=Path, default=HERE, metavar="FOLDER", help="for the results")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            samples = measure(options.peer, options.rounds, options.requests, folder)
        except Failed as failure:
            sys.exit(f"The benchmark failed: {failure}\n{last_lines(folder)}")
    text = table(("What", "Ours", "llama-stack", *HEADER[3:]), list(rows(samples)))
    print(text)
    options.output.mkdir(parents=True, exist_ok=True)
    page = markdown("The same requests on another server", "make bench-peers", text)
    (options.output / "peers.md").write_text(page)


def measure(peer: Path, rounds: int, requests: int, folder: Path) -> Samples:
    """Both servers in turn, several rounds; everything that is written goes to `folder`."""
    samples: Samples = defaultdict(list)
    with ExitStack() as stack:
        start = stack.enter_context
        load = start(Child("load", log=folder / "load.log"))
        both = {
            "ours": start(servers.ours(folder)),
            "peer": start(servers.peer(peer, folder)),
        }
        started = time.monotonic()
        for number in range(rounds + 1):
            if time.monotonic() - started > ROUND_SECONDS:
                print_progress(f"out of time: {number - 1} of {rounds} rounds")
                break
            print_progress(f"round {number} of {rounds}" if number else "warming up")
            for name, server in both.items():
                # New in every round, so that no list grows longer from round to round.
                page = (ITEMS * PAGE)[:PAGE]
                users = [(server.create(page), None) for _ in range(CONVERSATIONS)]
                for operation in MEASURED:
                    cpu = cpu_seconds(server.pid)
                    answer = load.ask(
                        url=server.url,
                        root=server.root,
                        operation=operation,
                        requests=requests,
                        in_flight=CLIENTS,
                        users=users,
                    )
                    cpu = (cpu_seconds(server.pid) - cpu) / requests
                    print_progress(f"  {name}, {operation}: {answer['per_second']:.0f}/s")
                    if number:
                        for what in ("per_second", "p50", "p99"):
                            samples[f"{name} {operation} {what}"].append(answer[what])
                        samples[f"{name} {operation} cpu"].append(cpu)
                if number:
                    samples[f"{name} memory"].append(resident_bytes(server.pid))
    return samples


def rows(samples: Samples) -> Iterator[Row]:
    """Side by side, with the goals where there are some."""
    for operation in MEASURED:
        goals = (*GOALS[operation], None)
        columns = (
            ("throughput", "per_second", PER_SECOND),
            ("p50", "p50", MILLISECONDS),
            ("p99", "p99", MILLISECONDS),
            ("CPU", "cpu", MICROSECONDS),
        )
        for (what, name, unit), goal in zip(columns, goals, strict=True):
            yield over(
                samples,
                f"{operation}, {what}",
                f"ours {operation} {name}",
                (f"peer {operation} {name}",),
                goal,
                at_least=what == "throughput",
                unit=unit,
            )
    yield over(samples, "memory", "ours memory", ("peer memory",), 0.5, unit=MEGABYTES)


if __name__ == "__main__":
    main(sys.argv[1:])
