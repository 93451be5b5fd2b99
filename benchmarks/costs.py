"""The measurements of `make bench`: what one update of ours costs, over its floors.

Everything that is compared runs in turn, several rounds long, so that a busy machine slows all
sides alike; a ratio is taken within its round.
"""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import traffic
from benchmarks.canned_cosmos import REQUEST_CHARGE
from benchmarks.processes import ROOT, Child, cpu_seconds, environment, resident_bytes
from benchmarks.samples import Samples

# The folders of the two function apps.
APPS = {"ours": str(ROOT), "trivial": str(ROOT / "benchmarks" / "trivial")}
TARGETS = [
    [f"/openai/v1/conversations/{id_}", key]
    for id_, key in map(traffic.conversation, range(len(traffic.CONVERSATION_IDS)))
]
# Long enough for a database client that opens in the background to be done; nobody is waiting.
SETTLE_SECONDS = 1.0
# Far enough away that requests sent together overlap, so that what remains are serial round trips.
COSMOS_DELAY_SECONDS = 0.1


@dataclass(frozen=True)
class Plan:
    """How much to measure."""

    rounds: int = 10
    updates: int = 1_000
    """In each run of a round."""
    memory_updates: tuple[int, int] = (1_000, 50_000)
    round_seconds: float = 150
    """No round starts later than this."""
    seconds: float = 270
    """The memory row makes do with fewer updates rather than go on longer than this."""


QUICK = Plan(rounds=1, updates=60, memory_updates=(60, 120))


def has_runtime() -> bool:
    """Whether the library that runs the app in Azure is installed: on Python 3.13 only."""
    return importlib.util.find_spec("azure_functions_runtime") is not None


def measure(plan: Plan, folder: Path, progress: Callable[[str], None]) -> Samples:
    """Run the plan; logs go to `folder`. Returns every figure by name, one per round."""
    samples = Samples()
    started = time.monotonic()
    with ExitStack() as stack:
        bench = Bench(plan, folder, samples, progress, stack)
        bench.warm_up()
        for number in range(1, plan.rounds + 1):
            if time.monotonic() - started > plan.round_seconds:
                progress(f"out of time: {number - 1} of {plan.rounds} rounds")
                break
            progress(f"round {number} of {plan.rounds}")
            bench.warm_updates()
            bench.cold_start()
            bench.imports()
        bench.first_update()
        bench.memory(deadline=started + plan.seconds)
    return samples


class Bench:
    """The processes that stay up for the whole benchmark, and the measurements on them."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        samples: Samples,
        progress: Callable[[str], None],
        stack: ExitStack,
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._samples = samples
        self._progress = progress
        start = stack.enter_context
        self._cosmos = start(Child("benchmarks.canned_cosmos"))
        self._load = start(Child("benchmarks.load"))
        self._settings = {
            "COSMOS_ENDPOINT": self._cosmos.hello["url"],
            "COSMOS_KEY": traffic.ACCOUNT_KEY,
        }
        self._servers = {name: start(self._host(name)) for name in APPS}
        self._driven = {
            name: start(self._child("benchmarks.floors", name)) for name in ("sdk", "hand")
        }
        if has_runtime():
            for name in APPS:
                child = self._child("benchmarks.runtime", APPS[name], log=f"runtime-{name}")
                self._driven[f"runtime {name}"] = start(child)

    def warm_up(self) -> None:
        """Have every process past its first updates."""
        updates = self._plan.updates // 2
        for server in self._servers.values():
            self._send(server, updates, 16)
        for driven in self._driven.values():
            driven.ask(updates=updates, in_flight=16)

    def warm_updates(self) -> None:
        """CPU, throughput, round trips and charges of updates on processes that are warm."""
        updates = self._plan.updates
        for in_flight in (16, 1):
            for name, server in self._servers.items():
                charged = self._charged(name)
                self._cosmos.ask()
                cpu = cpu_seconds(server.pid)
                answer = self._send(server, updates, in_flight)
                self._cpu(name, in_flight, cpu_seconds(server.pid) - cpu)
                if name == "ours":
                    requests = self._cosmos.ask()["requests"]
                    self._samples.add("round trips warm", requests / updates)
                    charges = (self._charged(name) - charged) / updates
                    self._samples.add("charges logged", charges)
                    self._samples.add(
                        f"throughput {in_flight} in flight", answer["updates_per_second"]
                    )
                    if in_flight == 16:
                        answer = self._send(server, updates, 64)
                        self._samples.add("throughput 64 in flight", answer["updates_per_second"])
                        cpu = cpu_seconds(server.pid)
                        self._send(server, updates, in_flight, valid=False)
                        self._cpu("invalid", in_flight, cpu_seconds(server.pid) - cpu)
            for name, driven in self._driven.items():
                answer = driven.ask(updates=updates, in_flight=in_flight)
                self._cpu(name, in_flight, answer["cpu_seconds"])

    def cold_start(self) -> None:
        """Process start to first 200, in seconds."""
        for name in APPS:
            started = time.perf_counter()
            with self._host(name, log="cold") as server:
                self._send(server, 1, 1)
                self._samples.add(f"cold start {name}", time.perf_counter() - started)
        for name in APPS if has_runtime() else ():
            started = time.perf_counter()
            with self._child("benchmarks.runtime", APPS[name], log="cold") as child:
                child.ask(updates=1, in_flight=1)
                self._samples.add(f"cold start runtime {name}", time.perf_counter() - started)

    def imports(self) -> None:
        """Seconds that imports take in a fresh interpreter."""
        for name, statement in (
            ("import ours", "import function_app"),
            ("import libraries", "import azure.functions, azure.cosmos.aio, pydantic"),
        ):
            self._samples.add(name, _import_seconds(statement))

    def first_update(self) -> None:
        """Round trips that the first update after a start waits for, one after the other."""
        self._progress("first update after a start")
        with self._host("ours", log="first") as server:
            time.sleep(SETTLE_SECONDS)
            self._cosmos.ask(delay=COSMOS_DELAY_SECONDS)
            answer = self._send(server, 1, 1)
            spans = self._cosmos.ask()["spans"]
        within = [span for span in spans if span[0] <= answer["ended"]]
        self._samples.add("round trips first", serial(within))

    def memory(self, deadline: float) -> None:
        """Resident memory after a few updates and after many."""
        early, late = self._plan.memory_updates
        self._progress(f"memory after {early:,} and {late:,} updates")
        with self._host("ours", log="memory") as server:
            self._send(server, early, 16)
            self._samples.add("memory early", resident_bytes(server.pid))
            done, step = early, (late - early) // 10
            while done < late and time.monotonic() < deadline:
                self._send(server, step, 16)
                done += step
            self._samples.add("memory late", resident_bytes(server.pid))
            self._samples.add("memory updates", done)

    def _cpu(self, name: str, in_flight: int, seconds: float) -> None:
        per_update = seconds / self._plan.updates
        self._samples.add(f"cpu {name} {in_flight}", per_update)
        self._progress(f"  {name}, {in_flight} in flight: {per_update * 1e6:.0f} µs of CPU")

    def _send(
        self, server: Child, updates: int, in_flight: int, *, valid: bool = True
    ) -> dict[str, Any]:
        return self._load.ask(
            url=server.hello["url"],
            targets=TARGETS,
            updates=updates,
            in_flight=in_flight,
            valid=valid,
        )

    def _host(self, name: str, log: str | None = None) -> Child:
        return self._child("benchmarks.host", APPS[name], log=log or f"host-{name}")

    def _child(self, module: str, argument: str, log: str | None = None) -> Child:
        return Child(
            module,
            argument,
            settings=self._settings,
            log=self._folder / f"{log}.log" if log else None,
        )

    def _charged(self, name: str) -> int:
        """How many requests the log of a host reports the canned request charge for."""
        return (self._folder / f"host-{name}.log").read_text().count(f"={REQUEST_CHARGE}")


def serial(spans: list[tuple[float, float]]) -> int:
    """The most of these spans of time that follow one another without overlap."""
    count, free_at = 0, 0.0
    for start, end in sorted(spans, key=lambda span: span[1]):
        if start >= free_at:
            count, free_at = count + 1, end
    return count


def _import_seconds(statement: str) -> float:
    code = (
        f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)
