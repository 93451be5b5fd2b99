"""The measurements of `make bench-peers`: the same requests to ours and to the peer, llama-stack.

Each is one process on one SQLite file: write-ahead, not forced to the disk with every commit.
"""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import load
from benchmarks.measure import Plan, progress, rounds
from benchmarks.processes import local, running
from benchmarks.report import MEGABYTES, MICROSECONDS, MILLISECONDS, PER_SECOND, Row, Samples
from benchmarks.traffic import ITEMS, MEASURED, PAGE, dump

UNITS = {"throughput": PER_SECOND, "p50": MILLISECONDS, "p99": MILLISECONDS, "CPU": MICROSECONDS}
# A throughput may be so many times the peer's at least, all else so much of it at most.
GOALS = {
    "update": {"throughput": 12, "p50": 1 / 8},
    "append": {"throughput": 10, "p50": 1 / 8},
    "list": {"throughput": 10, "p50": 1 / 8},
    "create": {"throughput": 5, "p99": 1 / 20},
}


def rows() -> Iterator[Row]:
    """Side by side, with the goals where there are some."""
    for operation, goals in GOALS.items():
        for what, unit in UNITS.items():
            row, at_least = f"{operation} {what}", what == "throughput"
            yield Row(row, f"ours {row}", [f"peer {row}"], goals.get(what), unit, at_least)
    yield Row("memory", "ours memory", ["peer memory"], 0.5, MEGABYTES)


def measure(plan: Plan, ogx: Path, folder: Path) -> Samples:
    """`ogx run` and ours in turn, several rounds; everything that is written goes to `folder`."""
    samples = Samples(list)
    command = [str(ogx.absolute()), "run", "benchmarks/ogx.yaml", "--insecure"]
    peer = running(command, folder / "ogx.log", "/v1/conversations", HOME=str(folder))
    with local(folder) as our_server, peer as peer_server:
        for _ in rounds(plan, samples):
            for name, server in (("ours", our_server), ("peer", peer_server)):
                # New in every round, so that no list grows longer from round to round.
                page = dump({"items": (ITEMS * PAGE)[:PAGE]})
                users = [(server.call(server.root, page)["id"], "") for _ in range(16)]
                for operation in MEASURED:
                    took = load(server, operation, plan.requests, users=users)
                    samples.add(f"{name} {operation}", took)
                    progress(f"  {name}, {operation}: {took['throughput']:.0f} a second")
                samples.add(name, {"memory": server.resident_bytes()})
    return samples
