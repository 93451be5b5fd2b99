"""The measurements of `make bench`: what each request of ours costs, over its floors.

Everything that is compared runs in turn, several rounds long, so that a busy machine slows all
sides alike; a ratio is taken within its round.
"""

import importlib.util
import re
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import servers
from benchmarks.processes import ROOT, Child, Message, cpu_seconds, resident_bytes
from benchmarks.traffic import ACCOUNT_KEY, MEASURED, OPERATIONS

# The folders of the function apps.
APPS = {
    "ours": str(ROOT),
    "trivial": str(ROOT / "benchmarks" / "trivial"),
    "importing": str(ROOT / "benchmarks" / "importing"),
}
SIDES = ("ours", "trivial")
# Long enough for a database client that opens in the background to be done; nobody is waiting.
SETTLE_SECONDS = 1.0
# Far enough away that requests sent together overlap, so that what remains are serial round trips.
COSMOS_DELAY_SECONDS = 0.1

Samples = defaultdict[str, list[float]]
"""Every figure by name, one per round."""


@dataclass(frozen=True)
class Plan:
    """How much to measure."""

    rounds: int = 10
    requests: int = 600
    """In each run of a round."""
    memory_appends: tuple[int, int] = (1_000, 50_000)
    round_seconds: float = 160
    """No round starts later than this."""
    seconds: float = 280
    """The memory row makes do with fewer appends rather than go on longer than this."""


QUICK = Plan(rounds=1, requests=40, memory_appends=(40, 80))


def has_runtime() -> bool:
    """Whether the library that runs the app in Azure is installed: on Python 3.13 only."""
    return importlib.util.find_spec("azure_functions_runtime") is not None


def measure(plan: Plan, folder: Path, progress: Callable[[str], None]) -> Samples:
    """Run the plan; logs go to `folder`."""
    started = time.monotonic()
    with ExitStack() as stack:
        bench = Bench(plan, folder, progress, stack)
        for number in range(1, plan.rounds + 1):
            if time.monotonic() - started > plan.round_seconds:
                progress(f"out of time: {number - 1} of {plan.rounds} rounds")
                break
            progress(f"round {number} of {plan.rounds}")
            bench.requests()
            bench.starts()
        bench.round_trips()
        bench.page()
        bench.contention()
        bench.memory(deadline=started + plan.seconds)
    return bench.samples


class Bench:
    """The processes that stay up for the whole benchmark, and the measurements on them."""

    def __init__(
        self, plan: Plan, folder: Path, progress: Callable[[str], None], stack: ExitStack
    ) -> None:
        self.samples: Samples = defaultdict(list)
        self._plan, self._folder, self._progress = plan, folder, progress
        self._settings = {"COSMOS_KEY": ACCOUNT_KEY}
        start = stack.enter_context
        self._cosmos = start(self._child("canned_cosmos"))
        self._settings["COSMOS_ENDPOINT"] = self._cosmos.hello["url"]
        self._load = start(self._child("load"))
        self._servers = {name: start(self._child("host", APPS[name])) for name in SIDES}
        self._driven = {name: start(self._child("floors", name)) for name in ("sdk", "hand")}
        if has_runtime():
            for name in SIDES:
                self._driven[f"runtime {name}"] = start(self._child("runtime", APPS[name]))
        for operation in MEASURED:  # all past their first requests
            for server in self._servers.values():
                self._send(server, operation, plan.requests // 4)
            for driven in self._driven.values():
                driven.ask(operation=operation, requests=plan.requests // 4, in_flight=16)

    def requests(self) -> None:
        """CPU, throughput and latency of each operation on processes that are warm."""
        for operation in MEASURED:
            self._side_by_side(operation, 16)
        self._side_by_side("update", 1)
        answer = self._send(self._servers["ours"], "update", self._plan.requests, 64)
        self._add("update per_second 64", answer["per_second"])

    def _side_by_side(self, operation: str, in_flight: int) -> None:
        count, cpu = self._plan.requests, {}
        for name, server in self._servers.items():
            before = cpu_seconds(server.pid)
            answer = self._send(server, operation, count, in_flight)
            cpu[name] = (cpu_seconds(server.pid) - before) / count
            if name == "ours":
                for what in ("per_second", "p50", "p99"):
                    self._add(f"{operation} {what} {in_flight}", answer[what])
        for name, driven in self._driven.items():
            answer = driven.ask(operation=operation, requests=count, in_flight=in_flight)
            cpu[name] = answer["cpu"] / count
        for name, seconds in cpu.items():
            self._add(f"{operation} cpu {name} {in_flight}", seconds)
        line = ", ".join(f"{name} {seconds * 1e6:.0f}" for name, seconds in cpu.items())
        self._progress(f"  {operation}, {in_flight} in flight, µs of CPU: {line}")

    def starts(self) -> None:
        """Process start to first 200, in seconds and in seconds of CPU."""
        for name in ("ours", "importing"):
            started = time.perf_counter()
            with self._child("host", APPS[name]) as server:
                self._send(server, "update", 1, 1)
                self._add(f"start {name}", time.perf_counter() - started)
                self._add(f"start cpu {name}", cpu_seconds(server.pid))
            if has_runtime():
                started = time.perf_counter()
                with self._child("runtime", APPS[name]) as child:
                    child.ask(operation="update", requests=1, in_flight=1)
                    self._add(f"start runtime {name}", time.perf_counter() - started)

    def round_trips(self) -> None:
        """Requests to the database, and how many of them follow one another."""
        self._progress("round trips")
        with self._child("host", APPS["ours"]) as server:
            time.sleep(SETTLE_SECONDS)
            for operation in ("first update", *OPERATIONS):
                self._cosmos.ask(delay=COSMOS_DELAY_SECONDS)
                self._send(server, operation.removeprefix("first "), 1, 1)
                answer = self._cosmos.ask(delay=0.0)
                self._add(f"{operation} requests", answer["requests"])
                self._add(f"{operation} in sequence", answer["in_sequence"])

    def page(self) -> None:
        """What a page of 100 items of 10 KB costs, and how long it keeps the loop busy."""
        self._progress("pages of 100 items of 10 KB")
        server = self._servers["ours"]
        for _ in range(self._plan.rounds):
            server.ask(watch=True)
            self._send(server, "page of 100", 5, 1)
            self._add("page stretch", server.ask(watch=False)["stretch"])
            cpu = cpu_seconds(server.pid)
            answer = self._send(server, "page of 100", 5, 1)
            self._add("page cpu", (cpu_seconds(server.pid) - cpu) / (answer["bytes"] / 1e6))

    def contention(self) -> None:
        """Requests to the database per append, of 16 writers to one conversation.

        On the local stand-in, which decides as Cosmos DB does who was first.
        """
        self._progress("16 writers to one conversation")
        with servers.ours(self._folder) as server:
            users = [(server.create([]), None)]
            self._load.ask(
                url=server.url,
                operation="append",
                requests=self._plan.requests,
                in_flight=16,
                users=users,
            )
            log = server.log.read_text()
        attempts = [int(count) for count in re.findall(r"create_items .* attempts=(\d+)", log)]
        self._add("requests per append", sum(attempts) / len(attempts))

    def memory(self, deadline: float) -> None:
        """Resident memory after a few appends and after many."""
        early, late = self._plan.memory_appends
        self._progress(f"memory after {early:,} and {late:,} appends")
        with self._child("host", APPS["ours"]) as server:
            self._send(server, "append", early)
            self._add("memory early", resident_bytes(server.pid))
            done, step = early, (late - early) // 10
            while done < late and time.monotonic() < deadline:
                self._send(server, "append", step)
                done += step
            self._add("memory late", resident_bytes(server.pid))
            self._add("memory appends", done)

    def _add(self, name: str, value: float) -> None:
        self.samples[name].append(value)

    def _send(
        self, server: Child, operation: str, requests: int, in_flight: int = 16, **more: object
    ) -> Message:
        return self._load.ask(
            url=server.hello["url"],
            operation=operation,
            requests=requests,
            in_flight=in_flight,
            **more,
        )

    def _child(self, module: str, *arguments: str) -> Child:
        log = self._folder / f"{module}.log"
        return Child(module, *arguments, log=log, **self._settings)
