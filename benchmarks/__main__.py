"""Measure what requests cost, over their floors or another server, and write the results.

Ends within five minutes. A goal that is missed is a result, not a failure. Linux only.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import measure, peers, report


def main(arguments: Sequence[str]) -> None:
    """Write results.md and results.svg, or peers.md if there is a peer."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="tiny counts: see that it works, not what it costs")
    add("--seconds", type=float, default=160, metavar="N", help="how long to repeat the rounds")
    add("--peer", type=Path, metavar="OGX", help="llama-stack's command, to measure ours against")
    add("--output", type=Path, default=Path(__file__).parent, metavar="FOLDER", help="for results")
    options = parser.parse_args(arguments)
    plan = measure.QUICK if options.quick else measure.Plan(options.seconds)
    with tempfile.TemporaryDirectory() as logs:
        if options.peer:
            samples = peers.measure(plan, options.peer, Path(logs))
            table = report.table(peers.rows(), samples, over="llama-stack")
            title = "The same requests on another server"
            report.publish(options.output / "peers.md", title, "make bench-peers", table)
        else:
            samples, rows = measure.measure(plan, Path(logs)), list(measure.rows(plan))
            table = report.table(rows, samples)
            text = f"![CPU of each request, and the goals](results.svg)\n\n{table}"
            report.publish(
                options.output / "results.md", "What a request costs", "make bench", text
            )
            report.draw(rows, samples, options.output / "results.svg")
    print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
