"""What the figures say: the rows with their goals, as text for the terminal and for readers.

Prints nothing and measures nothing.
"""

import os
import platform
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from benchmarks.measure import Plan, Samples
from benchmarks.traffic import MEASURED

PACKAGES = ("azure-cosmos", "azure-functions", "aiohttp", "pydantic")
HEADER = ("What", "Ours", "Over", "Ratio", "Goal", "Met")


@dataclass(frozen=True)
class Unit:
    """How a measured value is written."""

    symbol: str
    scale: float = 1
    digits: int = 0

    def of(self, values: list[float]) -> str:
        """Median, lowest and highest."""
        middle = (statistics.median(values), min(values), max(values))
        median, low, high = (f"{value * self.scale:,.{self.digits}f}" for value in middle)
        symbol = f" {self.symbol}" if self.symbol else ""
        return f"{median}{symbol}" if low == high else f"{median}{symbol} ({low} to {high})"


MICROSECONDS = Unit("µs", 1e6)
MILLISECONDS = Unit("ms", 1e3, 1)
MEGABYTES = Unit("MB", 1e-6, 1)
PER_SECOND = Unit("/s")
RATIO = Unit("", digits=2)


@dataclass(frozen=True)
class Row:
    """One line of the table. `ratios` is what the goal is about, round by round."""

    what: str
    ours: str
    over: str
    ratios: list[float]
    goal: float | None = None
    at_least: bool = False

    @property
    def ratio(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.ratios)

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the goal; None where there is none."""
        if self.goal is None:
            return None
        shown = round(self.ratio, 3)
        return shown >= self.goal if self.at_least else shown <= self.goal

    def cells(self) -> tuple[str, ...]:
        """The row as the table shows it."""
        goal = "" if self.goal is None else f"{'≥' if self.at_least else '≤'} {self.goal:.3g}"
        met = {True: "yes", False: "**no**", None: ""}[self.met]
        ratio = RATIO.of(self.ratios) if self.ratios else ""
        return self.what, self.ours, self.over, ratio, goal, met


# What an operation's CPU may be of the SDK's, and of the same by hand, each with the function.
CPU_GOALS: dict[str, tuple[float | None, float | None]] = {
    "update": (0.95, None),
    "append": (0.8, 1.6),
    "list": (0.8, None),
    "create": (None, None),
}
# Requests to the database, and how many of them may follow one another.
ROUND_TRIPS = {
    "first update": (1, 1),
    "update": (1, 1),
    "append": (1, 1),
    "create": (1, 1),
    "item get": (1, 1),
    "item delete": (1, 1),
    "list": (2, 1),
}


def rows(samples: Samples, plan: Plan) -> Iterator[Row]:
    """The goals, and beside them what helps to read them."""
    for side, where in (("", ""), ("runtime ", " in the runtime library")):
        for operation, in_flight in (*((name, 16) for name in MEASURED), ("update", 1)):
            ours, trivial, sdk, hand = (
                f"{operation} cpu {name} {in_flight}"
                for name in (f"{side}ours", f"{side}trivial", "sdk", "hand")
            )
            if ours not in samples:
                continue
            what = f"CPU of {operation}{where}, {in_flight} in flight, over "
            over_sdk, over_hand = CPU_GOALS[operation]
            yield over(samples, what + "SDK + function", ours, (sdk, trivial), over_sdk)
            yield over(samples, what + "by hand + function", ours, (hand, trivial), over_hand)
    for operation, (requests, in_sequence) in ROUND_TRIPS.items():
        what = f"database requests of {operation}"
        yield _count(samples, what, f"{operation} requests", requests)
        if in_sequence != requests:
            yield _count(samples, f"{what}, in sequence", f"{operation} in sequence", in_sequence)
    yield _count(samples, "database requests per append, 16 writers", "requests per append", 1.2)
    for name, where in (("", ""), ("cpu ", ", CPU"), ("runtime ", " in the runtime library")):
        if f"start {name}ours" in samples:
            yield over(
                samples,
                f"start to first 200{where}, over a function with the imports",
                f"start {name}ours",
                (f"start {name}importing",),
                1.05,
                unit=MILLISECONDS,
            )
    for operation, most in (("update", 1.5), ("append", 2), ("list", 2)):
        p50, p99 = f"{operation} p50 16", f"{operation} p99 16"
        what = f"p99 of {operation} over p50, 16 in flight"
        yield over(samples, what, p99, (p50,), most, unit=MILLISECONDS)
    for operation in MEASURED:
        per_second = samples[f"{operation} per_second 16"]
        yield Row(f"throughput of {operation}, 16 in flight", PER_SECOND.of(per_second), "", [])
    yield over(
        samples,
        "throughput of update, 64 in flight over 16",
        "update per_second 64",
        ("update per_second 16",),
        0.95,
        at_least=True,
        unit=PER_SECOND,
    )
    late = int(samples["memory appends"][0])
    what = f"memory after {late:,} appends, over after {plan.memory_appends[0]:,}"
    yield over(samples, what, "memory late", ("memory early",), 1.05, unit=MEGABYTES)
    yield Row(
        "page of 100 items of 10 KB, CPU per MB", MILLISECONDS.of(samples["page cpu"]), "", []
    )
    stretch = samples["page stretch"]
    what = "page of 100 items of 10 KB, the loop kept busy, over 20 ms"
    yield Row(what, MILLISECONDS.of(stretch), "", [one / 0.02 for one in stretch], 1)


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
    above = samples[ours]
    below = [sum(values) for values in zip(*(samples[name] for name in floor), strict=True)]
    ratios = [one / other for one, other in zip(above, below, strict=True)]
    return Row(what, unit.of(above), unit.of(below), ratios, goal, at_least)


def _count(samples: Samples, what: str, name: str, goal: float) -> Row:
    return Row(what, RATIO.of(samples[name]), "", samples[name], goal)


def machine() -> str:
    """Where it was measured, as far as it matters to a reader."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores; {packages}."
    )


def table(header: tuple[str, ...], rows: list[Row]) -> str:
    """A Markdown table that also reads well in a terminal: its columns are aligned."""
    lines = [header, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in lines
    )


def markdown(title: str, command: str, text: str) -> str:
    """The page of a table; docs/performance.md says how each figure is taken."""
    return f"""\
# {title}

Written by `{command}`. Compare ratios: absolute figures are those of one machine.
[How each is taken](../docs/performance.md#how-it-is-measured).

{text}

{machine()}
"""
