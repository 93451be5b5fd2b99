"""Measure what requests cost, over their floors, and write the results.

Writes results.md and results.svg. Ends within five minutes. Linux only.
"""

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import measure, plot, report
from benchmarks.processes import Failed

HERE = Path(__file__).parent


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark. A goal that is missed is a result, not a failure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, metavar="N", help="how often to measure all (default 10)")
    add("--quick", action="store_true", help="tiny counts: see that it works, not what it costs")
    add("--output", type=Path, default=HERE, metavar="FOLDER", help="where the results go")
    options = parser.parse_args(arguments)
    plan = measure.QUICK if options.quick else measure.Plan()
    if options.rounds:
        plan = dataclasses.replace(plan, rounds=options.rounds)
    with tempfile.TemporaryDirectory() as logs:
        try:
            samples = measure.measure(plan, Path(logs), print_progress)
        except Failed as failure:
            sys.exit(f"The benchmark failed: {failure}\n{last_lines(Path(logs))}")
    rows = list(report.rows(samples, plan))
    text = report.table(report.HEADER, rows)
    print(text)
    options.output.mkdir(parents=True, exist_ok=True)
    picture = f"![CPU of each request, and the goals](results.svg)\n\n{text}"
    page = report.markdown("What a request costs", "make bench", picture)
    (options.output / "results.md").write_text(page)
    plot.draw(samples, rows, options.output / "results.svg")


def print_progress(line: str) -> None:
    """Say on standard error how far it is; the table alone goes to standard output."""
    print(line, file=sys.stderr, flush=True)


def last_lines(folder: Path, count: int = 5) -> str:
    """The end of each log that a failed benchmark leaves."""
    return "\n".join(
        "\n".join([f"{log.name}:", *log.read_text().splitlines()[-count:]])
        for log in sorted(folder.glob("*.log"))
    )


if __name__ == "__main__":
    main(sys.argv[1:])
