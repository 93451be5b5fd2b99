"""What the figures say: rows with their goals, as a table and as a picture.

The picture is legible on light and on dark backgrounds: it has no background, and its text is in a
grey that has a contrast of at least 4 on white and on black.
"""

import operator
import os
import platform
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

GREY, BLUE, PURPLE, ORANGE = "#7a828c", "#2f81f7", "#a371f7", "#e0702d"


class Samples(defaultdict[str, list[float]]):
    """Every figure by name, one per round."""

    def add(self, name: str, figures: Mapping[str, float]) -> None:
        """Record the figures of one measurement, each as `name` and its own."""
        for what, value in figures.items():
            self[f"{name} {what}"].append(value)


class Unit(NamedTuple):
    """How a measured value is written."""

    symbol: str = ""
    scale: float = 1
    digits: int = 2

    def text(self, values: Sequence[float]) -> str:
        """Median, lowest and highest; nothing of nothing."""
        if not values:
            return ""
        middle = (median(values), min(values), max(values))
        shown, low, high = (f"{value * self.scale:,.{self.digits}f}" for value in middle)
        return shown + self.symbol + (f" ({low} to {high})" if low != high else "")


PLAIN = Unit()
MICROSECONDS = Unit(" µs", 1e6, 0)
MILLISECONDS = Unit(" ms", 1e3, 1)
MEGABYTES = Unit(" MB", 1e-6, 1)
PER_SECOND = Unit(" /s", digits=0)


class Row(NamedTuple):
    """One line of the table: the samples called `ours` over the sum of those called `over`.

    The goal is about the ratio or, where there is nothing to compare with, about ours.
    """

    what: str
    ours: str
    over: Sequence[str] = ()
    goal: float | None = None
    unit: Unit = PLAIN
    at_least: bool = False

    def cells(self, samples: Samples) -> tuple[str, ...]:
        """The row as the table shows it; a ratio is taken within its round."""
        ours = samples[self.ours]
        over = [sum(values) for values in zip(*(samples[name] for name in self.over), strict=True)]
        ratios = [one / other for one, other in zip(ours, over, strict=True)] if over else []
        judged, unit = (ratios, PLAIN) if ratios else (ours, self.unit)
        goal = met = ""
        if self.goal is not None:
            sign, compare = ("≥", operator.ge) if self.at_least else ("≤", operator.le)
            goal = f"{sign} {self.goal * unit.scale:.3g}{unit.symbol}"
            met = "yes" if compare(round(median(judged), 3), self.goal) else "**no**"
        return self.what, self.unit.text(ours), self.unit.text(over), PLAIN.text(ratios), goal, met


def table(rows: Iterable[Row], samples: Samples, over: str = "Over") -> str:
    """A Markdown table that also reads well in a terminal: its columns are aligned."""
    header: tuple[str, ...] = ("What", "Ours", over, "Ratio", "Goal", "Met")
    lines = [header, *(row.cells(samples) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(f"| {' | '.join(map(str.ljust, line, widths))} |" for line in lines)


def publish(file: Path, title: str, command: str, text: str) -> None:
    """Write the page of a table; docs/performance.md says how each figure is taken."""
    names = ("azure-cosmos", "azure-functions", "aiohttp", "pydantic")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"""\
# {title}

Written by `{command}`. Compare ratios: absolute figures are those of one machine.
[How each is taken](../docs/performance.md#how-it-is-measured).

{text}

Python {platform.python_version()} on {platform.system()} {platform.machine()}, \
{os.cpu_count()} cores; {packages}.
""")


def draw(rows: list[Row], samples: Samples, file: Path) -> None:
    """Write the picture of the rows about CPU as SVG, the same bytes for the same figures."""
    rows = [row for row in rows if row.unit is MICROSECONDS]
    places = range(len(rows))
    ours = [1e6 * median(samples[row.ours]) for row in rows]
    floor = [1e6 * sum(median(samples[name]) for name in row.over) for row in rows]
    goal = [(row.goal or 0) * cpu for row, cpu in zip(rows, floor, strict=True)]
    mpl.rcParams.update({"svg.hashsalt": "results", "svg.fonttype": "none", "text.color": GREY})
    figure = Figure(figsize=(9, 0.9 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for side, cpu, colour, label in ((-0.2, ours, BLUE, "ours"), (0.2, floor, PURPLE, "the floor")):
        bars = axes.barh([place + side for place in places], cpu, 0.38, color=colour, label=label)
        axes.bar_label(bars, fmt="{:,.0f}", label_type="center", color="white")
    low, high = ([place + end for place in places] for end in (-0.44, 0.04))
    axes.vlines(goal, low, high, ORANGE, linewidth=3, label="goal: ours ends here or before")
    axes.set_yticks(
        places,
        [row.what[len("CPU of ") :].replace(", over ", "\nover ") for row in rows],
        color=GREY,
    )
    axes.set_title("CPU of a request, in µs")
    axes.set_xticks([])
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.legend(frameon=False, loc="outside lower center", ncols=3)
    figure.savefig(file, transparent=True, metadata={"Date": None})
