"""What the figures say: the rows with their goals, as text for the terminal and for README readers.

Prints nothing and measures nothing.
"""

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from benchmarks.costs import Plan
from benchmarks.samples import Figure, Samples

PACKAGES = ("azure-cosmos", "azure-functions", "aiohttp", "pydantic")
HEADER = ("What", "Ours", "Over", "Ratio", "Goal", "Met")


@dataclass(frozen=True)
class Unit:
    """How a measured value is written."""

    symbol: str
    scale: float = 1
    digits: int = 0

    def of(self, figure: Figure) -> str:
        """Median and spread."""
        low, median, high = (
            f"{value * self.scale:,.{self.digits}f}"
            for value in (figure.low, figure.median, figure.high)
        )
        symbol = f" {self.symbol}" if self.symbol else ""
        return f"{median}{symbol}" if low == high else f"{median}{symbol} ({low} to {high})"


MICROSECONDS = Unit("µs", 1e6)
MILLISECONDS = Unit("ms", 1e3, 1)
MEGABYTES = Unit("MB", 1e-6, 1)
PER_SECOND = Unit("/s")
COUNT = Unit("", digits=2)
RATIO = Unit("", digits=2)


@dataclass(frozen=True)
class Row:
    """One line of the table. `ratio` is what the goal is about; a mere count is its own."""

    what: str
    ours: str
    over: str
    ratio: Figure
    goal: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the goal; None where there is none."""
        if self.goal is None:
            return None
        median = round(self.ratio.median, 2)  # as it is shown
        return median >= self.goal if self.at_least else median <= self.goal

    def cells(self) -> tuple[str, ...]:
        """The row as the table shows it."""
        goal = "" if self.goal is None else f"{'≥' if self.at_least else '≤'} {self.goal:.3g}"
        met = {True: "yes", False: "**no**", None: ""}[self.met]
        return self.what, self.ours, self.over, RATIO.of(self.ratio), goal, met


def rows(samples: Samples, plan: Plan) -> list[Row]:
    """The goals, and beside them what helps to read them."""
    return list(_rows(samples, plan))


def _rows(samples: Samples, plan: Plan) -> Iterator[Row]:
    inside = [("", ""), (" in the runtime library", "runtime ")]
    inside = [(where, side) for where, side in inside if f"cpu {side}ours 16" in samples]
    for where, side in inside:
        for in_flight in (16, 1):
            ours, trivial = (f"cpu {side}{name} {in_flight}" for name in ("ours", "trivial"))
            sdk, hand = (f"cpu {name} {in_flight}" for name in ("sdk", "hand"))
            what = f"CPU{where}, {in_flight} in flight, over "
            yield over(samples, what + "SDK + function", ours, (sdk, trivial), 1.0)
            yield over(samples, what + "patch by hand", ours, (hand,), 3.0)
            yield over(samples, what + "by hand + function", ours, (hand, trivial), None)
    yield over(
        samples,
        "CPU, 16 in flight, of an invalid update over a valid one",
        "cpu invalid 16",
        ("cpu ours 16",),
        1.0,
    )
    yield _count(samples, "Cosmos round trips, warm", "round trips warm", 1)
    yield _count(samples, "Cosmos round trips, first update", "round trips first", 1)
    yield over(
        samples,
        "import, over the libraries",
        "import ours",
        ("import libraries",),
        1.05,
        unit=MILLISECONDS,
    )
    for where, side in inside:
        yield over(
            samples,
            f"start to first 200{where}, over a function",
            f"cold start {side}ours",
            (f"cold start {side}trivial",),
            1.4,
            unit=MILLISECONDS,
        )
    early = plan.memory_updates[0]
    late = int(samples.sums("memory updates")[0])
    yield over(
        samples,
        f"memory after {late:,} updates, over after {early:,}",
        "memory late",
        ("memory early",),
        1.05,
        unit=MEGABYTES,
    )
    yield over(
        samples,
        "throughput, 64 in flight over 16",
        "throughput 64 in flight",
        ("throughput 16 in flight",),
        0.95,
        at_least=True,
        unit=PER_SECOND,
    )
    yield _count(samples, "request charges logged, per update", "charges logged", 1, at_least=True)


def over(
    samples: Samples,
    what: str,
    ours: str,
    floor: tuple[str, ...],
    goal: float | None,
    *,
    at_least: bool = False,
    unit: Unit = MICROSECONDS,
) -> Row:
    """A row of what was measured as `ours` over the sum of what was measured as `floor`."""
    above, below = samples.sums(ours), samples.sums(*floor)
    ratios = [one / other for one, other in zip(above, below, strict=True)]
    return Row(
        what,
        unit.of(Figure.of(above)),
        unit.of(Figure.of(below)),
        Figure.of(ratios),
        goal,
        at_least,
    )


def _count(samples: Samples, what: str, name: str, goal: float, *, at_least: bool = False) -> Row:
    figure = Figure.of(samples.sums(name))
    return Row(what, COUNT.of(figure), "", figure, goal, at_least)


def machine() -> str:
    """Where it was measured, as far as it matters to a reader."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores; {packages}."
    )


def table(header: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    """A Markdown table that also reads well in a terminal: its columns are aligned."""
    widths = [max(len(line[column]) for line in [header, *lines]) for column in range(len(header))]

    def text(cells: tuple[str, ...]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return "\n".join([text(header), rule, *map(text, lines)])


EXPLANATION = """\
Each figure is the median over the rounds, with the lowest and the highest in brackets. A ratio is
taken within its round, in which everything that it compares ran in turn; its median and spread are
those of the rounds' ratios.

- **Ours** is the app on the local Functions host, in a process of its own, under a load generator
  in another, over sockets. The database is a server that answers every patch with the same
  document at once. CPU is the user and system time of the Functions process, all its threads, per
  update, warm. Memory is its resident set.
- **Function** is a trivial function app with the same answer and no database, on the same host,
  under the same load.
- **SDK** is `patch_item` and nothing else in a process that drives itself: the transport without
  environment lookups, bounded retries, the container's properties handed over.
- **By hand** is the same request over aiohttp with its HMAC, its answer parsed as JSON. The goal
  is over that patch alone, so that our side also carries the Functions host; *by hand + function*
  shows the ratio with the host on both sides.
- **In the runtime library**: ours and the function inside `azure-functions-runtime`, which serves
  them in Azure (Python 3.13), without HTTP: a request is decoded, run and encoded in one process.
- **First update**: the requests that it waits for one after the other, a second after the host
  is up, with a database 100 ms away.
- **Import**: a fresh interpreter each time, compiled bytecode, `import function_app` over
  `import azure.functions, azure.cosmos.aio, pydantic`.
- **Request charges logged**: the share of updates whose log line has the charge that the database
  reported.
"""


def markdown(lines: list[Row], where: str) -> str:
    """The results page."""
    return "\n".join(
        [
            "# What an update costs",
            "",
            "Written by `make bench`. Compare ratios: absolute figures are those of one machine.",
            "",
            "![CPU of an update, and the goals](results.svg)",
            "",
            table(HEADER, [row.cells() for row in lines]),
            "",
            where,
            "",
            EXPLANATION,
        ]
    )
