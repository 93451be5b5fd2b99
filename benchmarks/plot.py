"""The picture of the results: what each request costs beside its floors, and how far the goals are.

Legible on light and on dark backgrounds: no background of its own, text in a grey that has a
contrast of at least 4 on white and on black.
"""

import statistics
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.measure import Samples
from benchmarks.report import Row
from benchmarks.traffic import MEASURED

GREY, MET, MISSED = "#7a828c", "#2da44e", "#e0702d"
# Each side of the comparison: its parts, from the bottom up, and their colours.
SIDES = {
    "ours": {"ours": "#2f81f7"},
    "SDK + function": {"trivial": "#b6bcc4", "sdk": "#a371f7"},
    "by hand + function": {"trivial": "#b6bcc4", "hand": "#3fa9a0"},
}
# A goal is missed off the scale rather than squeezing all others.
MOST = 2.0


def draw(samples: Samples, rows: list[Row], file: Path) -> None:
    """Write the picture as SVG, the same bytes for the same figures."""
    goals = [row for row in rows if row.goal is not None]
    colours = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    style: dict[Any, Any] = {"svg.hashsalt": "results", "svg.fonttype": "none", "font.size": 9}
    with mpl.rc_context(style | dict.fromkeys(colours, GREY)):
        figure = Figure(figsize=(9, 4 + 0.22 * len(goals)), layout="constrained")
        halves: Any = figure.subfigures(2, height_ratios=[3, 0.5 + 0.22 * len(goals)])
        upper, lower = halves
        upper.suptitle("CPU of a request in µs, 16 in flight (grey: the function)")
        lower.suptitle("How much of what each goal allows is used")
        costs, distances = upper.subplots(), lower.subplots()
        for place, (side, parts) in enumerate(SIDES.items()):
            at = [number + 0.27 * (place - 1) for number in range(len(MEASURED))]
            bottom = [0.0] * len(at)
            for name, colour in parts.items():
                cpu = [
                    1e6 * statistics.median(samples[f"{operation} cpu {name} 16"])
                    for operation in MEASURED
                ]
                label = side if name != "trivial" else None
                costs.bar(at, cpu, 0.25, bottom=bottom, color=colour, label=label)
                bottom = [low + high for low, high in zip(bottom, cpu, strict=True)]
            for x, y in zip(at, bottom, strict=True):
                costs.text(x, y, f"{y:,.0f}", ha="center", va="bottom")
        costs.set_xticks(range(len(MEASURED)), MEASURED)
        costs.legend(frameon=False, loc="upper left")
        # Of a goal that is a least, the reciprocal is what is used of it.
        used = [
            min(row.goal / row.ratio if row.at_least else row.ratio / row.goal, MOST)
            for row in goals
            if row.goal
        ]
        shown = [
            f"{row.what}   {row.ratio:.2f} ({'≥' if row.at_least else '≤'} {row.goal:.3g})"
            for row in goals
        ]
        distances.barh(shown, used, color=[MET if row.met else MISSED for row in goals])
        distances.axvline(1, color=GREY, linestyle="--")
        distances.set_xlim(0, MOST)
        distances.set_xticks([1], ["the goal"])
        distances.invert_yaxis()
        distances.margins(y=0.01)
        for axes in (costs, distances):
            axes.spines[["top", "right"]].set_visible(False)
            axes.set_facecolor("none")
        figure.savefig(file, transparent=True, metadata={"Date": None})
