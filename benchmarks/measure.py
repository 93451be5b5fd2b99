"""The measurements of `make bench`: what each request of ours costs, over its floors.

All that is compared runs in turn, several rounds long, so that a busy machine slows all alike.
"""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.load import load
from benchmarks.processes import Server, local, running
from benchmarks.report import MEGABYTES, MICROSECONDS, MILLISECONDS, PER_SECOND, Row, Samples
from benchmarks.traffic import ACCOUNT_KEY, MEASURED, OPERATIONS

# What a Functions process imports; the last has the app.
APPS = {
    "ours": ["function_app"],
    "function": ["benchmarks.trivial"],
    "imports": ["aiohttp", "azure.cosmos.aio", "pydantic", "benchmarks.trivial"],
}
# Long enough for a database client that opens in the background to be done; nobody is waiting.
SETTLE_SECONDS = 1.0
# Seconds to each answer of the database: long, so that those waited for can be counted.
DELAY = 0.1


class Plan(NamedTuple):
    """How long to go round, requests in each run of a round, appends before memory is read."""

    seconds: float = 160
    requests: int = 600
    appends: tuple[int, int] = (1_000, 50_000)


QUICK = Plan(seconds=0, requests=40, appends=(40, 80))


def rows(plan: Plan) -> Iterator[Row]:
    """The table: every goal, and what helps to read them."""

    def cpu(operation: str, floor: str, goal: float, in_flight: int = 16) -> Row:
        what = f"CPU of {operation}, {in_flight} in flight, over {floor} + function"
        run = f"{operation} {in_flight} CPU"
        return Row(what, f"ours {run}", [f"{floor} {run}", f"function {run}"], goal, MICROSECONDS)

    yield cpu("update", "SDK", 0.95)
    yield cpu("update", "SDK", 0.95, in_flight=1)
    yield cpu("append", "SDK", 0.8)
    yield cpu("append", "hand-written", 1.6)
    yield cpu("list", "SDK", 0.8)
    yield cpu("create", "SDK", 1)
    for operation in ("first update", "update", "append", "create", "item get", "item delete"):
        yield Row(f"database requests of {operation}", f"{operation} requests", goal=1)
    yield Row("database requests of list", "list requests", goal=2)
    yield Row("database requests of list, in sequence", "list in sequence", goal=1)
    yield Row("database requests per append, 16 writers", "contended append requests", goal=1.2)
    for figure, where in (("s", ""), ("CPU s", ", CPU")):
        what = f"start to first 200{where}, over a function with the imports"
        yield Row(what, f"ours start {figure}", [f"imports start {figure}"], 1.05, MILLISECONDS)
    for operation, goal in (("update", 1.5), ("append", 2), ("list", 2)):
        what, ours = f"p99 of {operation} over p50, 16 in flight", f"ours {operation} 16"
        yield Row(what, f"{ours} p99", [f"{ours} p50"], goal, MILLISECONDS)
    ours, over = "ours update 64 throughput", ["ours update 16 throughput"]
    what = "throughput of update, 64 in flight over 16"
    yield Row(what, ours, over, 0.95, PER_SECOND, at_least=True)
    what = "memory after {1:,} appends, over after {0:,}".format(*plan.appends)
    yield Row(what, "late memory", ["early memory"], 1.05, MEGABYTES)
    page = "CPU of a page of 100 items of 10 KB"
    yield Row(f"{page}, per MB", "page CPU of MB", unit=MILLISECONDS)
    yield Row(f"{page}: blocks the loop at most", "page CPU", goal=0.02, unit=MILLISECONDS)


def measure(plan: Plan, folder: Path) -> Samples:
    """Run the plan; logs go to `folder`."""
    with ExitStack() as stack:
        bench = Bench(plan, folder, stack)
        for _ in rounds(plan, bench.samples):
            bench.requests()
            bench.starts()
        bench.round_trips()
        bench.contention()
        bench.memory()
    return bench.samples


def rounds(plan: Plan, samples: Samples) -> Iterator[None]:
    """Rounds for as long as planned, one at least, after one that only warms up."""
    progress("warming up")
    yield
    samples.clear()
    number, started = 0, time.monotonic()
    while not number or time.monotonic() - started < plan.seconds:
        number += 1
        progress(f"round {number}, {time.monotonic() - started:.0f} of {plan.seconds:.0f} s")
        yield


def progress(line: str) -> None:
    """Say on standard error how far it is; the table alone goes to standard output."""
    print(line, file=sys.stderr, flush=True)


class Bench:
    """The processes that stay up for the whole benchmark, and the measurements on them."""

    def __init__(self, plan: Plan, folder: Path, stack: ExitStack) -> None:
        self.samples = Samples(list)
        self._plan, self._folder = plan, folder
        enter = stack.enter_context
        self._settings = {"COSMOS_KEY": ACCOUNT_KEY}
        self._cosmos = enter(self._running("canned_cosmos"))
        self._settings["COSMOS_ENDPOINT"] = self._cosmos.url
        self._hosts = {name: enter(self._host(name)) for name in ("ours", "function")}
        self._floors = enter(self._running("floors"))

    def requests(self) -> None:
        """CPU, throughput and latency on processes that are warm."""
        count = self._plan.requests
        for operation, in_flight in (*((name, 16) for name in MEASURED), ("update", 1)):
            took = {
                name: load(host, operation, count, in_flight) for name, host in self._hosts.items()
            }
            for floor in ("SDK", "hand-written") if operation == "append" else ("SDK",):
                path = f"/{floor}/{operation}?requests={count}&in_flight={in_flight}"
                took[floor] = self._floors.call(path)
            for name, figures in took.items():
                self.samples.add(f"{name} {operation} {in_flight}", figures)
            costs = ", ".join(f"{name} {took[name]['CPU'] * 1e6:.0f}" for name in took)
            progress(f"  {operation}, {in_flight} in flight, µs of CPU: {costs}")
        self.samples.add("ours update 64", load(self._hosts["ours"], "update", count, 64))

    def starts(self) -> None:
        """Process start to first 200, in seconds and in seconds of CPU."""
        for name in ("ours", "imports"):
            started = time.perf_counter()
            with self._host(name) as host:
                load(host, "update", 1)
                took = {"s": time.perf_counter() - started, "CPU s": host.cpu_seconds()}
                self.samples.add(f"{name} start", took)

    def round_trips(self) -> None:
        """Requests to the database, and how many a request waits for in turn; and large pages."""
        progress("round trips and pages")
        with self._host("ours") as host:
            time.sleep(SETTLE_SECONDS)
            for operation, count in (("first update", 1), *((name, 3) for name in OPERATIONS)):
                self._cosmos.call(f"/counted?delay={DELAY}")
                took = load(host, operation.removeprefix("first "), count, 1)
                requests = self._cosmos.call("/counted?delay=0") / count
                waits = {"requests": requests, "in sequence": took["p50"] // DELAY}
                self.samples.add(operation, waits)
            for _ in range(10):  # not among the rounds: pages of 1 MB slow what comes after them
                self.samples.add("page", load(host, "page of 100", 5, 1))

    def contention(self) -> None:
        """Requests to the database per append, of 16 writers to one conversation.

        On the local stand-in, which decides as Cosmos DB does who was first.
        """
        progress("16 writers to one conversation")
        with local(self._folder) as server:
            users = [(server.call(server.root, b"{}")["id"], "")]
            load(server, "append", self._plan.requests, users=users)
        log = (self._folder / "local.log").read_text()
        attempts = [int(count) for count in re.findall(r"create_items .* attempts=(\d+)", log)]
        self.samples.add("contended append", {"requests": sum(attempts) / len(attempts)})

    def memory(self) -> None:
        """Resident memory after a few appends and after many."""
        few, many = self._plan.appends
        progress(f"memory after {few:,} and {many:,} appends")
        with self._host("ours") as host:
            for name, appends in (("early", few), ("late", many - few)):
                load(host, "append", appends)
                self.samples.add(name, {"memory": host.resident_bytes()})

    def _host(self, name: str) -> AbstractContextManager[Server]:
        return self._running("host", *APPS[name])

    def _running(self, module: str, *arguments: str) -> AbstractContextManager[Server]:
        command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
        return running(command, self._folder / f"{module}.log", **self._settings)
