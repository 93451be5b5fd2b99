"""The picture of the results: one SVG, two panels, legible on light and on dark backgrounds.

Above, where the CPU of an update goes; below, how far each goal is. No background of its own, and
text in a grey that has a contrast of at least 4 on white and on black.
"""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from benchmarks.report import Row
from benchmarks.samples import Figure, Samples

WIDTH = 900
LABELS = 400
BAR = 340
LINE = 24
TEXT = "#7a828c"
OURS, SDK, FUNCTION, HAND = "#2f81f7", "#a371f7", "#8b949e", "#3fa9a0"
MET, MISSED = "#2da44e", "#e0702d"
# A goal is missed off the scale rather than squeezing all others.
MOST = 2.0


def svg(samples: Samples, rows: list[Row]) -> str:
    """The whole picture."""
    parts = [*_cpu(samples), *_goals(rows, top=_cpu_height())]
    height = _cpu_height() + 70 + LINE * len(_with_goal(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" font-family="system-ui, Helvetica, Arial, sans-serif" font-size="13" '
        f'fill="{TEXT}" '
        'role="img" aria-label="What an update costs, and how far the goals are">\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


_CPU_BARS = (
    ("patch by hand", (("hand", HAND),)),
    ("bare SDK patch", (("sdk", SDK),)),
    ("bare SDK patch + trivial function", (("sdk", SDK), ("trivial", FUNCTION))),
    ("our update", (("ours", OURS),)),
)


def _cpu_height() -> int:
    return 60 + LINE * len(_CPU_BARS)


def _cpu(samples: Samples) -> Iterator[str]:
    medians = {
        name: 1e6 * Figure.of(samples.sums(f"cpu {name} 16")).median
        for name in ("hand", "sdk", "trivial", "ours")
    }
    sums = [sum(medians[name] for name, _ in parts) for _, parts in _CPU_BARS]
    yield _title("CPU of one update in µs, 16 in flight", 20)
    for place, ((label, parts), total) in enumerate(zip(_CPU_BARS, sums, strict=True)):
        top = 34 + LINE * place
        yield _label(label, top)
        left = float(LABELS)
        for name, colour in parts:
            width = BAR * medians[name] / max(sums)
            yield _bar(left, top, width, colour)
            left += width
        yield _value(f"{total:,.0f}", left, top)


def _goals(rows: list[Row], top: int) -> Iterator[str]:
    yield _title("What each goal allows, and how much of it is used", top + 20)
    shown = _with_goal(rows)
    for place, row in enumerate(shown):
        assert row.goal is not None
        # Of a goal that is a least, the reciprocal is what is used of it.
        used = row.goal / row.ratio.median if row.at_least else row.ratio.median / row.goal
        line = top + 34 + LINE * place
        width = BAR * min(used, MOST) / MOST
        yield _label(row.what, line)
        yield _bar(LABELS, line, width, MET if row.met else MISSED)
        sign = "≥" if row.at_least else "≤"
        text = f"{row.ratio.median:.2f} {'✓' if row.met else '✗'} ({sign} {row.goal:.3g})"
        yield _value(text, LABELS + BAR, line)  # in a column: beside its bar it could hit the line
    middle = LABELS + BAR / MOST
    bottom = top + 34 + LINE * len(shown)
    yield (
        f'<path d="M{middle:g} {top + 30}V{bottom}" stroke="{TEXT}" stroke-dasharray="4 3"/>'
        f'<text x="{middle:g}" y="{bottom + 16}" text-anchor="middle">the goal</text>'
    )


def _with_goal(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.goal is not None]


def _title(text: str, y: float) -> str:
    return f'<text x="0" y="{y:g}" font-size="15" font-weight="600">{escape(text)}</text>'


def _label(text: str, top: float) -> str:
    return f'<text x="{LABELS - 10}" y="{top + 14:g}" text-anchor="end">{escape(text)}</text>'


def _bar(left: float, top: float, width: float, colour: str) -> str:
    return (
        f'<rect x="{left:.1f}" y="{top:g}" width="{width:.1f}" height="{LINE - 6}" '
        f'fill="{colour}"/>'
    )


def _value(text: str, right: float, top: float) -> str:
    return f'<text x="{right + 8:.1f}" y="{top + 14:g}">{escape(text)}</text>'
